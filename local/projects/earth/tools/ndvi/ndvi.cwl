cwlVersion: v1.2
class: CommandLineTool
label: Vegetation index of a CSV file
baseCommand: [python, ndvi.py]
inputs:
  table:
    type: File
    inputBinding:
      position: 1
outputs:
  result:
    type: stdout
stdout: ndvi.csv
