# flow.sh - a place to run the 311 flow in: PostgreSQL, and stand-ins for Socrata, Slack and the API.  After lib.sh.
. "$here/runs.sh"
servers=$here/servers
start_postgres
start_flow() {		# start_flow DATA-DIRECTORY: datasets la31-2019 and la31-2020 in it
	start_server SODA_URL python3 "$servers/soda.py" --data "$1"
	start_server slack python3 "$servers/slack.py"
	start_server API_URL python3 "$servers/status_api.py"
	SLACK_WEBHOOK_URL=$slack/services/T000/B000/xyz
	DATASETS=$work/datasets.json TODAY=2020-12-25 RETRIES=2 RETRY_WAIT=0.05s
	export SODA_URL API_URL SLACK_WEBHOOK_URL DATASETS TODAY RETRIES RETRY_WAIT
	jq '.domain = "soda.test" | .datasets = [{year: 2019, id: "la31-2019"}, {year: 2020, id: "la31-2020"}]' \
	    "$top/scripts/311/311.json" >"$DATASETS"
}
load() {
	"$top/scripts/311/load" "$@"
}
control() {		# control JSON: to the Socrata stand-in
	curl -fsS --data-binary "$1" "$SODA_URL/control" >/dev/null
}
log_last() {		# log_last COLUMNS: of the newest row of the load log
	sql "SELECT $1 FROM load_log ORDER BY id DESC LIMIT 1"
}
# What the target holds, as a digest of its rows in the order of the key.
digest() {
	psql -XAtqc "COPY (SELECT * FROM requests ORDER BY srnumber COLLATE \"C\") TO STDOUT" | cksum
}
no_stages() {
	is 'no stage is left' 0 "$(sql "SELECT count(*) FROM pg_class WHERE relname LIKE '%stage%'")"
}
