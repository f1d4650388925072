#!/usr/bin/env python3
"""airflow_api - a stand-in for the three generations of Airflow's HTTP API, as far as a look-up of runs needs them.

    airflow_api.py [--port N] --dags FILE [--apis v2,v1,experimental] [--user admin] [--password secret] ...

FILE holds {"DAG": [RUN, ...], ...}.  A RUN has "state" and, where the generation at hand knows them, "run_id", "run_type",
"logical_date", "data_interval_start", "data_interval_end", "run_after", "start_date", "end_date", and "tasks", an
object of task: state.  What is absent is null; run_after is the end of the interval, else the logical date, else the start;
times are UTC, "2024-01-01T00:00:00.123456".

Settings: apis, the generations that are there: Airflow 1 is "experimental", 2 "v1" or "v1,experimental", 3 "v2";
prefix, the path it is mounted at; user, password; forbidden, a DAG that the user has no rights on (repeatable);
experimental_auth, "open", "deny" or "basic"; no_basic: v1 knows sessions only, as by default; token_life, the number of
requests that a token of v2 is good for (0: all); bad_token, the status for a spent or wrong token, 401 or 403;
no_token_endpoint: single sign-on is in its place; jwt_member, the name of the token in /auth/token's answer;
no_order: order_by is ignored.  /control also takes "dags", in place of the file's.
"""
import base64
import json
import secrets
import urllib.parse

from standin import Refusal, Reply, StandIn, options, serve

V1_ORDERS = {"id", "state", "dag_id", "execution_date", "dag_run_id", "start_date", "end_date", "external_trigger", "conf"}
V2_ORDERS = {"id", "state", "dag_id", "run_id", "dag_run_id", "logical_date", "run_after", "start_date", "end_date",
             "updated_at", "conf", "duration"}
STATES = {"queued", "running", "success", "failed"}
PAGE_NOT_FOUND = "<!DOCTYPE html>\n<html><head><title>Airflow 404 = lots of circles</title></head><body></body></html>\n"
TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}


def reply_json(body, status=200, **headers):
    return Reply(status, json.dumps(body) + "\n", "application/json", headers)


def page(status=404):
    return Reply(status, PAGE_NOT_FOUND, "text/html; charset=utf-8")


def stamp(time, zone):
    """As the generation prints it: no fraction where it is zero."""
    return time and time.removesuffix(".000000") + zone


class Airflow(StandIn):
    settings = {"apis": "v2", "prefix": "", "user": "admin", "password": "secret", "forbidden": [],
                "experimental_auth": "open", "no_basic": False, "token_life": 0, "bad_token": 401,
                "no_token_endpoint": False, "jwt_member": "access_token", "no_order": False}
    changes = ("dags",)

    def __init__(self, dags):
        super().__init__()
        self.dags = {}
        self.tokens = {}        # token: requests that it is still good for
        self.change("dags", dags)

    def change(self, what, dags):
        self.dags = {dag: [self.complete(dag, number, run) for number, run in enumerate(runs, 1)]
                     for dag, runs in dags.items()}

    def complete(self, dag, number, run):
        whole = {name: None for name in ("logical_date", "data_interval_start", "data_interval_end", "start_date", "end_date")}
        whole |= {"id": number, "dag_id": dag, "run_type": "scheduled", "tasks": {"load": run["state"]}} | run
        whole.setdefault("run_after", whole["data_interval_end"] or whole["logical_date"] or whole["start_date"])
        whole.setdefault("run_id", f"{whole['run_type']}__{whole['logical_date'] or whole['run_after']}+00:00")
        return whole

    # the errors of each generation

    def problem(self, status, detail=None):
        reply = Reply(status, json.dumps({"detail": detail, "status": status, "title": TITLES.get(status, ""),
                                          "type": "https://airflow.apache.org/docs/apache-airflow/2.9.0/"
                                                  "stable-rest-api-ref.html#section/Errors"}), "application/problem+json")
        if status == 401:
            reply.headers["WWW-Authenticate"] = "Basic"
        return reply

    def detail(self, status, detail):
        return reply_json({"detail": detail}, status)

    def failure(self, status):
        if "v2" in self.set["apis"].split(","):
            return self.detail(status, TITLES.get(status, "Error"))
        return self.problem(status)

    def answer(self, request):
        prefix, path = self.set["prefix"], request.path
        if not path.startswith(prefix + "/"):
            return page()
        path = path[len(prefix):]
        parts = [urllib.parse.unquote(p) for p in request.url.partition("?")[0][len(prefix):].split("/")[1:]]
        apis = self.set["apis"].split(",")
        if path == "/auth/token" and "v2" in apis:
            return self.log_in(request)
        if parts[0] == "api" and len(parts) > 2 and parts[1] in apis:
            return getattr(self, "answer_" + parts[1])(request, parts[2:])
        if "v2" in apis:
            if parts[0] == "api":
                return self.detail(404, "/api/v1 has been removed in Airflow 3, please use its upgraded version /api/v2 instead.")
            return page(200)    # the user interface takes every other path
        return page()

    def basic(self, request):
        """True with the right user and password, None without any."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        return base64.b64decode(given).decode() == f"{self.set['user']}:{self.set['password']}"

    # experimental

    def answer_experimental(self, request, parts):
        if parts == ["test"]:
            return reply_json({"status": "OK"})
        if self.set["experimental_auth"] == "deny" or (self.set["experimental_auth"] == "basic" and not self.basic(request)):
            status = 403 if self.set["experimental_auth"] == "deny" else 401
            return Reply(status, TITLES[status], "text/html; charset=utf-8", {"WWW-Authenticate": "Basic"} if status == 401 else {})
        if len(parts) != 3 or parts[0] != "dags" or parts[2] != "dag_runs":
            return page()
        if parts[1] not in self.dags:
            return reply_json({"error": f"Dag id {parts[1]} not found"}, 400)
        found = [run for run in self.dags[parts[1]] if request.query.get("state", run["state"]) == run["state"]]
        headers = {"Deprecation": "true"} if "v1" in self.set["apis"] else {}
        return reply_json([{"id": run["id"], "run_id": run["run_id"], "state": run["state"], "dag_id": run["dag_id"],
                            "execution_date": stamp(run["logical_date"], "+00:00"),
                            "start_date": stamp(run["start_date"], "+00:00") or "",
                            "dag_run_url": "/admin/airflow/graph?dag_id=" + run["dag_id"]} for run in found], **headers)

    # v1

    def answer_v1(self, request, parts):
        if parts == ["version"]:
            return reply_json({"version": "2.9.3", "git_version": None})
        if self.set["no_basic"] or not self.basic(request):
            return self.problem(401)
        if parts[0] != "dags" or len(parts) < 2:
            return self.problem(404)
        dag = parts[1]
        if dag in self.set["forbidden"]:
            return self.problem(403)
        if len(parts) == 2:
            return reply_json({"dag_id": dag, "is_active": True}) if dag in self.dags else self.problem(404, "DAG not found")
        if parts[2:] == ["dagRuns"]:
            return self.list_runs(request, self.dags.get(dag, []), V1_ORDERS, 100, lambda text: self.problem(400, text), self.run_v1)
        return self.list_tasks(request, dag, parts[2:], "+00:00", self.problem)

    def run_v1(self, run):
        times = {name: stamp(run[name], "+00:00") for name in
                 ("data_interval_start", "data_interval_end", "logical_date", "start_date", "end_date")}
        return times | {"conf": {}, "dag_id": run["dag_id"], "dag_run_id": run["run_id"], "execution_date": times["logical_date"],
                        "external_trigger": run["run_type"] == "manual", "last_scheduling_decision": None, "note": None,
                        "run_type": run["run_type"], "state": run["state"]}

    # v2

    def log_in(self, request):
        if self.set["no_token_endpoint"]:
            return page(200)
        if request.method != "POST":
            return self.detail(405, "Method Not Allowed")
        if request.headers.get("content-type") != "application/json":
            return self.detail(415, "Unsupported Media Type")
        try:
            given = json.loads(request.body)
            pair = given["username"], given["password"]
        except (ValueError, KeyError, TypeError):
            return self.detail(422, [{"type": "missing", "loc": ["body", "username"], "msg": "Field required", "input": {}}])
        if pair != (self.set["user"], self.set["password"]):
            return self.detail(401, "Invalid credentials")
        token = "ey" + secrets.token_hex(20)
        with self.lock:
            self.tokens[token] = self.set["token_life"] or -1
        return reply_json({self.set["jwt_member"]: token}, 201)

    def check_token(self, request):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal(self.detail(401, "Not authenticated"))
        with self.lock:
            left = self.tokens.get(token, 0)
            if left > 0:
                self.tokens[token] = left - 1
        if left == 0:
            raise Refusal(self.detail(self.set["bad_token"], "Token Expired" if self.set["bad_token"] == 401 else "Invalid JWT token"))

    def answer_v2(self, request, parts):
        if parts == ["version"]:
            return reply_json({"version": "3.0.2", "git_version": None})
        if parts == ["monitor", "health"]:
            return reply_json({"metadatabase": {"status": "healthy"}})
        self.check_token(request)
        if parts[0] != "dags" or len(parts) < 2:
            return self.detail(404, "Not Found")
        dag = parts[1]
        if dag in self.set["forbidden"]:
            return self.detail(403, "Forbidden")
        if dag not in self.dags:
            return self.detail(404, f"The DAG with dag_id: `{dag}` was not found")
        if len(parts) == 2:
            return reply_json({"dag_id": dag, "dag_display_name": dag})
        if parts[2:] == ["dagRuns"]:
            bad_state = [s for s in self.states(request) if s not in STATES]
            if bad_state:
                return self.detail(422, [{"type": "value_error", "loc": ["query", "state"], "msg": "Invalid", "input": bad_state[0]}])
            return self.list_runs(request, self.dags[dag], V2_ORDERS, 50, lambda text: self.detail(400, text), self.run_v2)
        return self.list_tasks(request, dag, parts[2:], "Z", lambda status, text="Not Found": self.detail(status, text))

    def run_v2(self, run):
        times = {name: stamp(run[name], "Z") for name in
                 ("data_interval_start", "data_interval_end", "logical_date", "start_date", "end_date", "run_after")}
        return times | {"dag_run_id": run["run_id"], "dag_id": run["dag_id"], "queued_at": times["run_after"], "duration": 12.3,
                        "run_type": run["run_type"], "state": run["state"], "last_scheduling_decision": None,
                        "triggered_by": "timetable", "triggering_user_name": None, "conf": None, "note": None,
                        "dag_versions": [], "bundle_version": None, "dag_display_name": run["dag_id"]}

    # v1 and v2

    def states(self, request):
        return urllib.parse.parse_qs(request.url.partition("?")[2]).get("state", [])

    def list_runs(self, request, runs, orders, default, refuse, show):
        states = self.states(request)
        runs = [run for run in runs if not states or run["state"] in states]
        order = request.query.get("order_by", "id")
        name = order.removeprefix("-")
        if name not in orders:
            return refuse(f"Ordering with '{name}' is disallowed or the attribute does not exist on the model")
        name = {"execution_date": "logical_date", "dag_run_id": "run_id"}.get(name, name)
        if not self.set["no_order"]:
            known = [run for run in runs if run[name] is not None]
            known.sort(key=lambda run: (run[name], run["id"]), reverse=order.startswith("-"))
            runs = known + [run for run in runs if run[name] is None]
        return reply_json({"dag_runs": [show(run) for run in self.cut(request, runs, default)], "total_entries": len(runs)})

    def cut(self, request, found, default):
        limit = min(int(request.query.get("limit", default)), 100)
        offset = int(request.query.get("offset", 0))
        return found[offset:offset + limit]

    def list_tasks(self, request, dag, parts, zone, refuse):
        """dagRuns/RUN/taskInstances"""
        if len(parts) != 3 or parts[0] != "dagRuns" or parts[2] != "taskInstances":
            return refuse(404)
        for run in self.dags.get(dag, []):
            if run["run_id"] == parts[1]:
                tasks = [{"task_id": task, "dag_id": dag, "dag_run_id": run["run_id"], "map_index": -1, "state": state,
                          "start_date": stamp(run["start_date"], zone), "try_number": 1} for task, state in run["tasks"].items()]
                return reply_json({"task_instances": self.cut(request, tasks, 100), "total_entries": len(tasks)})
        return refuse(404)


def main():
    parser = options(Airflow, description=__doc__.partition("\n")[0])
    parser.add_argument("--dags", metavar="FILE", help="DAGs and their runs, as JSON")
    args = parser.parse_args()
    dags = {}
    if args.dags:
        with open(args.dags, encoding="utf-8") as file:
            dags = json.load(file)
    serve(Airflow(dags), args)


if __name__ == "__main__":
    main()
