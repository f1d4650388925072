"""An Airflow DAG of the test: what becomes of a task whose command ends with each status, the first time; then it succeeds."""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), "culvert"))
from culvert_flow import DAG, Culvert, common  # noqa: E402

with DAG("statuses", schedule=None, **common()):
    for status in (0, 64, 65, 66, 69, 70, 71, 73, 74, 75, 76, 77, 78, 99, 127, 141, 143):
        Culvert(
            task_id=f"s{status}",
            bash_command=f'[ "${{CULVERT_RUN_ID%% *}}" = s{status}.-1.1 ] || exec echo second; echo first; exit {status}',
        )
    Culvert(task_id="killed", bash_command='[ "${CULVERT_RUN_ID%% *}" = killed.-1.1 ] || exec echo second; kill -KILL $$')
