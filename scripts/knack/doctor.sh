# shellcheck shell=bash
# doctor.sh - what the Knack flow needs, for culvert-doctor: --app-name and --env say which app; else the first one, prod.

check_configuration() {
	local first
	first=$(jq -r --arg app "$app" '.apps[$app].containers | keys[0] // empty' "$APPS" 2>/dev/null) || first=
	check_settings to-s3 --app-name "$app" --env "$env" --container "${first:-object_0}"
}
if (read_settings_of knack && beside "$APPS" && jq -e '.apps | length > 0' "$(beside "$APPS")") >/dev/null 2>&1; then
	read_settings_of knack
	APPS=$(beside "$APPS")
	. "$here/secrets.sh"
	app=${app:-$(jq -r '.apps | keys_unsorted[0]' "$APPS")} env=${env:-prod}
	# secret NAME FILTER: from the credentials file, as the flow's commands take it.
	secret() {
		local value
		! is_set "$1" && [[ -r $KNACK_CREDENTIALS ]] || return 0
		value=$(jq -r --arg app "$app" --arg env "$env" "$2 // empty" "$KNACK_CREDENTIALS" 2>/dev/null) || return 0
		[[ -z $value ]] || export "$1=$value"
	}
	take_secrets
	check_credentials() {
		[[ -e $KNACK_CREDENTIALS ]] || { ok credentials 'from the environment'; return; }
		if ! jq -e 'type == "object"' "$KNACK_CREDENTIALS" >/dev/null 2>&1; then
			bad 78 credentials "$KNACK_CREDENTIALS is not valid JSON, or can't be read" 'see docs/knack.md'
		elif [[ $(stat -Lc %a "$KNACK_CREDENTIALS") != [0-7]00 ]]; then
			notice credentials "$KNACK_CREDENTIALS can be read by others" "chmod 600 $KNACK_CREDENTIALS"
		else
			ok credentials "$KNACK_CREDENTIALS"
		fi
	}
	check_knack() {
		local container which scene server=(${KNACK_URL:+--base-url "$KNACK_URL"})
		if ! is_set KNACK_APP_ID || ! is_set KNACK_API_KEY; then
			bad 78 "Knack app $app ($env)" 'no KNACK_APP_ID, or no KNACK_API_KEY' "set them, or put $app into $KNACK_CREDENTIALS"
			return
		fi
		# The metadata are open to whoever knows the app's id; only records ask for the key.
		ask "Knack app $app ($env)" 'see KNACK_APP_ID and KNACK_API_KEY' knack-fetch "${net[@]}" "${server[@]}" --describe || return 0
		IFS=$'\t' read -r container scene < <(jq -r --arg app "$app" '.apps[$app].containers | to_entries[0] | [.key, .value.scene // ""] | @tsv' "$APPS")
		which=(--object "$container")
		[[ $container != view_* ]] || which=(--view "$container" ${scene:+--scene "$scene"})
		ask "Knack app $app ($env)" 'KNACK_API_KEY is wrong, or of another app' knack-fetch "${net[@]}" "${server[@]}" --count "${which[@]}" || return 0
		ok "Knack app $app ($env)" "$answer records in $container"
	}
	check_socrata() {
		local dataset
		dataset=$(jq -r --arg app "$app" '[.apps[$app].containers[] | .socrata.dataset | select(. != null)][0] // empty' "$APPS")
		[[ -n $dataset ]] || { ok Socrata "no container of $app is published there"; return; }
		is_set SOCRATA_KEY_ID && is_set SOCRATA_KEY_SECRET ||
		    { bad 78 Socrata 'no SOCRATA_KEY_ID and SOCRATA_KEY_SECRET' 'make an API key in the portal, and set them'; return; }
		ask "Socrata dataset $dataset" 'see SOCRATA_KEY_ID and SOCRATA_KEY_SECRET' \
		    soda-fetch "${net[@]}" ${SODA_URL:+--base-url "$SODA_URL"} --describe "$domain" "$dataset" || return 0
		ok "Socrata dataset $dataset" "$(grep -c . <<<"$answer") columns, read with the login"
	}
	# No record is read, so nothing changes there; but the login and the layer are tried.
	check_agol() {
		local found item layer
		found=$(jq -r --arg app "$app" '[.apps[$app].containers[] | .agol | select(. != null)][0] // empty | [.item, .layer] | @tsv' "$APPS")
		IFS=$'\t' read -r item layer <<<"$found"
		[[ -n $item ]] || { ok 'ArcGIS Online' "no container of $app is published there"; return; }
		is_set AGOL_USERNAME && is_set AGOL_PASSWORD || { bad 78 'ArcGIS Online' 'no AGOL_USERNAME and AGOL_PASSWORD' 'set them'; return; }
		ask 'ArcGIS Online' 'see AGOL_USERNAME and AGOL_PASSWORD, and that the item is shared with them' \
		    agol-push "${net[@]}" ${AGOL_PORTAL:+--portal "$AGOL_PORTAL"} --layer "$layer" --key id "$item" </dev/null || return 0
		ok 'ArcGIS Online' "the login is good, and layer $layer of $item is there"
	}
	start_check settings check_configuration
	start_check credentials check_credentials
	domain=$(jq -r '.socrata_domain // empty' "$APPS")
	start_check host check_host "${KNACK_URL:-https://api.knack.com}"
	start_check knack check_knack
	start_check bucket check_bucket "$BUCKET" "$app-$env/"
	[[ -z $domain ]] || start_check host check_host "${SODA_URL:-https://$domain}"
	start_check socrata check_socrata
	start_check host check_host "${AGOL_PORTAL:-https://www.arcgis.com}"
	start_check agol check_agol
else
	start_check settings check_settings metadata --app-name "${app:-none}" --env "${env:-prod}"
fi
start_check slack check_slack
start_check airflow check_airflow culvert_knack
