"""since - where an incremental load begins, and what many receipts come to, by the DAGs' own functions."""
import json
import sys
from datetime import timedelta

sys.path.append(sys.argv[1])
import pendulum  # noqa: E402
from culvert_flow import pool, since, total  # noqa: E402

day = pendulum.datetime(2024, 3, 10, 9, tz="UTC")
assert since(day, day) == "2024-03-10T09:00:00"
assert since(day, day.subtract(days=3)) == "2024-03-07T09:00:00", "runs that failed in between"
assert since(day, day.add(days=3)) == "2024-03-10T09:00:00", "an old interval that is done again"
assert since(day, None) == since(None, day) == since(None, None) == ""
assert since(day.in_timezone("America/Chicago"), day, timedelta(days=1)) == "2024-03-09T09:00:00"
assert total([]) == total(None) == total([None]) == ""
assert json.loads(total(['{"read":2,"seconds":9,"empty":true,"table":"x"}', '{"read":3,"inserted":1}'])) == {
    "tool": "total", "tasks": 2, "read": 5, "inserted": 1}
assert pool("culvert_socrata") == sys.argv[2]
