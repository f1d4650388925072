# shellcheck shell=bash
# doctor.sh - what the MDS flow needs, for culvert-doctor.  Of trips, nothing is shown or kept.

COMMAND=culvert-doctor
wanted_provider=$provider
. "$here/common.sh"
provider=$wanted_provider
# shellcheck disable=SC2034
missing_mend='culvert mds init makes it'
check_providers() {
	local name names url hour
	tmp=$(mktemp -d "$small/mds.XXXXXX")
	is_set FERNET_KEY || { bad 78 FERNET_KEY 'it is not set' 'set it, or FERNET_KEY_FILE; fernet keygen makes one'; return; }
	ask FERNET_KEY '' fernet encrypt </dev/null || return 0
	ok FERNET_KEY 'it is a key'
	ask "providers in $PROVIDERS" "see the AWS keys" read_providers || return 0
	names=$(jq -r 'keys[]' <<<"$answer" 2>/dev/null) && [[ -n $names ]] ||
	    { bad 78 "providers in $PROVIDERS" 'no provider is configured there' 'culvert mds config --file providers --upload'; return; }
	ok "providers in $PROVIDERS" "${names//$'\n'/, }"
	[[ -z $provider || $'\n'$names$'\n' == *$'\n'"$provider"$'\n'* ]] ||
	    { bad 78 "provider $provider" 'it is not configured' 'culvert mds config --file providers --edit'; return; }
	printf '%s\n' "$answer" >"$tmp/providers"
	hour=$(TZ=UTC date -d '3 days ago' +%Y-%m-%d-%H)
	while IFS= read -r name; do
		url=$(jq -r --arg name "$name" '.[$name].mds_api_url // empty' "$tmp/providers")
		[[ -z $url ]] || check_host "$url"
		if ask "provider $name" 'see its token or auth_data: culvert mds config --file providers --edit' try_provider "$name" "$hour"; then
			ok "provider $name" "it serves the hour $hour: $answer"
		fi
	done <<<"${provider:-$names}"
}
read_providers() {
	decrypted "$PROVIDERS" "$tmp/document" && cat "$tmp/document"
}
try_provider() {	# trips go nowhere; only how many there were is told
	mds-fetch "${net[@]}" --config "$tmp/providers" --provider "$1" --hour "$2" --receipt "$tmp/receipt" >/dev/null && jq -r '"\(.records // .written // .read // "some") trips"' "$tmp/receipt"
}
check_polygons() {
	local name
	for name in CENSUS_GEOJSON DISTRICTS_GEOJSON HEX_GEOJSON; do
		if [[ ${!name} != [/.]* ]]; then
			ask "$name" 'see the AWS keys' s3-get "${net[@]}" --output /dev/null "s3://$BUCKET/${!name}" || continue
		elif [[ ! -r ${!name} ]]; then
			bad 78 "$name" "${!name}: no such file, or it can't be read" 'see the settings'
			continue
		fi
		ok "$name" "${!name}"
	done
}
check_socrata() {
	local domain=${SOCRATA_DOMAIN:-${SOCRATA_DATA_ENDPOINT:-}}
	domain=${domain#https://} domain=${domain%%/*}
	[[ -n $domain && -n ${SOCRATA_DATASET:-} ]] || { ok Socrata "its address is in $SETTINGS, not in the environment: not tried"; return; }
	check_host "${SODA_URL:-https://$domain}"
	is_set SOCRATA_KEY_ID && is_set SOCRATA_KEY_SECRET || notice Socrata 'no SOCRATA_KEY_ID and SOCRATA_KEY_SECRET' "set them, unless they are in $SETTINGS"
	ask "Socrata dataset $SOCRATA_DATASET" 'see SOCRATA_KEY_ID and SOCRATA_KEY_SECRET' \
	    soda-fetch "${net[@]}" ${SODA_URL:+--base-url "$SODA_URL"} --describe "$domain" "$SOCRATA_DATASET" || return 0
	ok "Socrata dataset $SOCRATA_DATASET" "$(grep -c . <<<"$answer") columns, read with the login"
}
start_check settings eval '(read_settings); ok settings "they hold"'
if (read_settings) >/dev/null 2>&1; then
	read_settings
	again=("${net[@]}")	# a flow's own would wait for hours
	start_check database check_database api.provider:rw api.schedule:rwd api.schedule_status:r api.trips:rwds api.device:rw
	start_check bucket check_bucket "$BUCKET" "$STAGE/"
	start_check providers check_providers
	start_check polygons check_polygons
	start_check socrata check_socrata
fi
start_check slack check_slack
start_check airflow check_airflow culvert_mds
