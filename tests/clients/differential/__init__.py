"""The same calls, good and bad, sent to a stock MLflow server and to Perigee, and their answers compared.

`call.py` says what a call is, `side.py` sends it, `compare.py` finds the differences, `scenarios/` holds the calls,
`known_differences.py` lists where Perigee answers otherwise on purpose, and why.
"""
