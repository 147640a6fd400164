"""Prints the tables of docs/COST.md: what Perigee and an always-on MLflow server cost a month."""

HOURS = 730
# US dollars, us-east-1, without free tiers; docs/COST.md names the sources.
PRICES = {
    "HTTP API, per million calls": 1.00,
    "Lambda, per million calls": 0.20,
    "Lambda x86, per GB-second": 0.0000166667,
    "DynamoDB on demand, per million write units": 0.625,
    "DynamoDB on demand, per million read units": 0.125,
    "CloudWatch logs, per GB": 0.50,
    "CloudWatch metric": 0.30,
    "CloudWatch alarm": 0.10,
    "Secrets Manager, per secret": 0.40,
    "Secrets Manager, per 10,000 calls": 0.05,
    "Fargate x86, per vCPU-hour": 0.04048,
    "Fargate x86, per GB-hour": 0.004445,
    "Application Load Balancer, per hour": 0.0225,
    "Application Load Balancer, per capacity unit and hour": 0.008,
    "RDS PostgreSQL db.t4g.medium Multi-AZ, per hour": 0.129,
    "RDS storage gp3 Multi-AZ, per GB": 0.23,
}
# A team that trains: share of the calls, write units and read units of one (docs/data.md, section 6).
CALLS = {
    "log-metric, log-batch of 10 metrics": (0.70, 1.0, 0.0),
    "params, tags, updates of runs": (0.10, 3.0, 0.0),
    "runs/create": (0.02, 2.0, 0.0),
    "runs/get, experiments/get": (0.10, 0.0, 1.5),
    "search of 100 runs, 8 shards": (0.05, 0.0, 28.0),
    "artifacts, catalog, downloads": (0.03, 0.0, 1.0),
}
# A touch a minute and run, two units: one for each twenty calls that log metrics.
TOUCHES = 0.70 / 20 * 2
# Tokens that are looked up in the table by another instance.
TOKENS = 0.05
BILLED_MS = 18
MEMORY_GB = 0.5
LOG_KB = 0.8


def perigee(millions):
    """Dollars a month for so many million calls, by service."""
    price = PRICES
    writes = sum(share * units for share, units, _ in CALLS.values()) + TOUCHES
    reads = sum(share * units for share, _, units in CALLS.values()) + TOKENS
    seconds = millions * 1e6 * BILLED_MS / 1000
    # 40 calls a second keep about 20 instances warm, each of which reads one secret every five minutes.
    reading = 20 * min(1, millions / 100) * HOURS * 12
    return {
        "gateway": millions * price["HTTP API, per million calls"],
        "functions": millions * price["Lambda, per million calls"]
        + seconds * MEMORY_GB * price["Lambda x86, per GB-second"],
        "database": millions
        * (
            writes * price["DynamoDB on demand, per million write units"]
            + reads * price["DynamoDB on demand, per million read units"]
        ),
        "logs": millions * 1e6 * LOG_KB / 1e6 * price["CloudWatch logs, per GB"],
        "metrics and alarms": (4 * price["CloudWatch metric"] if millions else 0) + 7 * price["CloudWatch alarm"],
        "secrets": 3 * price["Secrets Manager, per secret"]
        + reading / 10_000 * price["Secrets Manager, per 10,000 calls"],
    }


def always_on(millions):
    """The stock server in two zones: Fargate tasks of 1 vCPU and 2 GB, a load balancer, PostgreSQL."""
    price = PRICES
    # At 100 M calls, 38 a second on average: five times as many at the peak, 8 ms of CPU each, at 60 % load.
    tasks = 2 if millions < 50 else 3
    task = price["Fargate x86, per vCPU-hour"] + 2 * price["Fargate x86, per GB-hour"]
    units = min(1, millions / 50)
    return {
        "gateway": HOURS
        * (
            price["Application Load Balancer, per hour"]
            + units * price["Application Load Balancer, per capacity unit and hour"]
        ),
        "functions": tasks * HOURS * task,
        "database": HOURS * price["RDS PostgreSQL db.t4g.medium Multi-AZ, per hour"]
        + 20 * price["RDS storage gp3 Multi-AZ, per GB"],
        "logs": millions * 1e6 * 0.3 / 1e6 * price["CloudWatch logs, per GB"],
        "metrics and alarms": 4 * price["CloudWatch alarm"],
        "secrets": 2 * price["Secrets Manager, per secret"],
    }


def main():
    volumes = [0, 1, 100]
    columns = [(name, bill(volume)) for volume in volumes for name, bill in [("Perigee", perigee), ("always on", always_on)]]
    heads = [f"{volume} M calls: {name}" for volume in volumes for name in ["Perigee", "always on"]]
    print("| US$ a month | " + " | ".join(heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    for service in columns[0][1]:
        print(f"| {service} | " + " | ".join(f"{bill[service]:.2f}" for _, bill in columns) + " |")
    print("| **all** | " + " | ".join(f"**{sum(bill.values()):.2f}**" for _, bill in columns) + " |")


if __name__ == "__main__":
    main()
