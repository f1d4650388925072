# shellcheck shell=bash
# doctor.sh - what the order flow needs, for culvert-doctor.

. "$here/common.sh"
# The zip of the day may come later, but where it comes has to be there.  What is behind a ? may be a signature.
check_source() {
	local source=${SOURCE//'{date}'/${RUN_DATE:-$(TZ=$TIMEZONE date +%F)}} shown place
	shown=${source%%\?*}
	case $source in
	s3://*)
		place=${source#s3://}
		check_bucket "${place%%/*}"
		ask "source $shown" "the policy of $(aws_identity) needs s3:GetObject and s3:ListBucket there" \
		    s3-list "${net[@]}" --limit 1 "$source" || return 0
		if [[ -n $answer ]]; then
			ok "source $shown" 'it is there'
		else
			notice "source $shown" 'it is not there' 'see SOURCE, or wait until it is'
		fi ;;
	http://* | https://*) check_host "$source" ;;
	*)
		if [[ -r $source ]]; then
			ok "source $shown" 'it is there'
		else
			notice "source $shown" "no such file, or it can't be read" 'see SOURCE, or wait until it is'
		fi ;;
	esac
}
start_check settings check_settings load
if (read_settings) >/dev/null 2>&1; then
	read_settings
	tables=(users:rwcso orders:rwcso order_line_items:rwcso order_summary:rco load_log:rwc)
	[[ ${APPEND:-} != true ]] || tables+=(orders_history:rwcso)
	start_check database check_database "${tables[@]}"
	[[ -z $SOURCE ]] || start_check source check_source
fi
start_check slack check_slack
start_check airflow check_airflow culvert_orders
