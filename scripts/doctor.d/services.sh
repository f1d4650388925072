# shellcheck shell=bash
# services.sh - culvert-doctor's checks of what more than one flow has: its settings, S3, Slack, Airflow; and how a service is asked.

patience=$((limit > 60 ? 5 : (limit + 11) / 12))s	# for a server that may come back, well within a check's limit
# How a tool asks where the answer is for somebody who waits for it.
net=(--quiet --retries 1 --retry-wait 0.3s --timeout 15s --max-time 25s --max-wait "$patience")
# ask WHAT MEND COMMAND...: what the command wrote is in answer; if it failed, that is said, with its own last words.  MEND is
# for a refusal, 77; of the other statuses each has its own.
ask() {
	local what=$1 mend=$2 status=0 words
	shift 2
	answer=$("$@" 2>"$notes") || status=$?
	((status != 0)) || return 0
	words=$(grep . "$notes" | tail -n 1) || words="$1 ended with status $status"
	words=${words#"$1: "} words=${words#culvert-doctor: }
	fail_of "$status" "$what" "$words" "$mend"
	return 1
}
# check_settings COMMAND...: the flow's own --check
check_settings() {
	local status=0
	"$libexec/$flow/$1" "${@:2}" --check >"$notes" 2>&1 || status=$?
	if ((status == 0)); then
		ok settings "$(sed 's/^[^:]*: //' "$notes" | tail -n 1)"
	else
		bad 78 settings "$(sed 's/^[^:]*: //' "$notes" | tail -n 1)" "see ${CONF:-$libexec/$flow/$flow.conf}"
	fi
}
# check_bucket BUCKET [PREFIX]
check_bucket() {
	local key endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}} region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
	check_host "${endpoint:-https://s3.$region.amazonaws.com}"
	ask "bucket $1" "the policy of $(aws_identity) needs s3:ListBucket on it, and its secret has to be right" \
	    s3-list "${net[@]}" --limit 1 "s3://$1/${2:-}" || return 0
	ok "bucket $1" "it can be listed as $(aws_identity)"
	"$write" || return 0
	key=${2:-}culvert-doctor.$(uname -n).$$
	ask "bucket $1" "the policy of $(aws_identity) needs s3:PutObject on it" s3-put "${net[@]}" "s3://$1/$key" </dev/null || return 0
	ok "bucket $1" "it can be written to"
	if delete_object "$1" "$key"; then
		ok "bucket $1" 'it can be deleted from'
	else
		notice "bucket $1" "s3://$1/$key could not be deleted" 'delete it; no flow needs the right to'
	fi
}
aws_identity() {
	echo "${AWS_ACCESS_KEY_ID:-${AWS_PROFILE:-the role of this machine or profile}}"
}
# No tool of ours deletes objects.  By curl, with the keys of the environment, if they are there.
delete_object() {
	local endpoint=${AWS_ENDPOINT_URL_S3:-${AWS_ENDPOINT_URL:-}} region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
	[[ -n ${AWS_ACCESS_KEY_ID:-} && -n ${AWS_SECRET_ACCESS_KEY:-} ]] || return 1
	[[ -n $endpoint ]] || endpoint=https://s3.$region.amazonaws.com
	curl -fsS --max-time 20 -o /dev/null -X DELETE --aws-sigv4 "aws:amz:$region:s3" -K - "${endpoint%/}/$1/$2" 2>/dev/null <<-X
	user = "$AWS_ACCESS_KEY_ID:${AWS_SECRET_ACCESS_KEY//[\"\\]/\\&}"
	${AWS_SESSION_TOKEN:+header = "x-amz-security-token: $AWS_SESSION_TOKEN"}
	header = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	X
}
# check_slack: nothing is posted, so a hook that was revoked is not seen.
check_slack() {
	if ! is_set SLACK_WEBHOOK_URL && ! is_set SLACK_HOOK; then
		ok slack 'no webhook is set: nobody is told'
		return
	fi
	local hook=${SLACK_WEBHOOK_URL:-${SLACK_HOOK:-}} file=${SLACK_WEBHOOK_URL_FILE:-${SLACK_HOOK_FILE:-}}
	if [[ -z $hook ]] && ! hook=$(cat "$file" 2>/dev/null); then
		bad 78 slack "$file: no such file, or it can't be read" 'see SLACK_WEBHOOK_URL_FILE'
	elif [[ ! $hook =~ ^https://[^/]+/.|^http://(localhost|127\.0\.0\.1|\[::1\])[:/] ]]; then
		bad 78 slack 'the webhook is no https URL' 'see SLACK_WEBHOOK_URL'
	else
		check_host "$hook"
		ok slack 'a webhook is set; it was not tried, since that would post'
	fi
}
check_airflow() {	# check_airflow DAG
	if [[ -z ${AIRFLOW_URL:-} ]]; then
		ok airflow 'no AIRFLOW_URL is set: not asked'
	elif ask airflow 'see AIRFLOW_USERNAME and AIRFLOW_PASSWORD, or AIRFLOW_TOKEN' airflow-last-run "${net[@]}" --dag "$1"; then
		ok airflow "$1 last succeeded: ${answer:-never}"
	fi
}
is_set() {		# is_set NAME: or the file of it
	local file=${1}_FILE
	[[ -n ${!1:-} || -n ${!file:-} ]]
}
