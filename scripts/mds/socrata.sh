# shellcheck shell=bash
# socrata.sh - what of a trip is published, and where: for sync-socrata and resync-socrata, after begin.

# The portal and its login: from the environment, else from the settings in S3.
if [[ -z ${SOCRATA_DATASET:-} || -z ${SOCRATA_DOMAIN:-}${SOCRATA_DATA_ENDPOINT:-} || -z ${SOCRATA_KEY_ID:-}${SOCRATA_KEY_ID_FILE:-} ]]; then
	decrypted "$SETTINGS" "$tmp/settings"
	found=$(jq -r '"SOCRATA_DATASET SOCRATA_DATA_ENDPOINT SOCRATA_APP_TOKEN SOCRATA_KEY_ID SOCRATA_KEY_SECRET" / " " | .[] as $name
	    | $settings[0][$name] // empty | "\($name)=\(.)"' -n --slurpfile settings "$tmp/settings") || die_of $? 78 "$SETTINGS: is no JSON object"
	rm -f "$tmp/settings"
	while IFS='=' read -r name value; do
		secret_file=${name}_FILE
		[[ -z $name || -n ${!name:-} || -n ${!secret_file:-} ]] || export "$name=$value"
	done <<<"$found"
fi
domain=${SOCRATA_DOMAIN:-${SOCRATA_DATA_ENDPOINT:-}}
domain=${domain#https://} domain=${domain%%/*}
[[ $domain =~ ^[A-Za-z0-9.-]+$ ]] || die 78 "SOCRATA_DOMAIN=$domain: want a host such as data.austintexas.gov"
[[ ${SOCRATA_DATASET:-} =~ ^[a-z0-9]{4}-[a-z0-9]{4}$ ]] || die 78 "SOCRATA_DATASET=${SOCRATA_DATASET:-}: want an id such as abcd-1234"
push=(soda-push "${again[@]}" ${SODA_URL:+--base-url "$SODA_URL"} "$domain" "$SOCRATA_DATASET")

columns_of_trips=$(<"$here/published.sql")
# published CONDITION: the command that writes these trips in the shape that the dataset has, without a semicolon.
published() {
	local query=$columns_of_trips
	query=${query//:zone/"'$TIMEZONE'"}
	query=${query//:condition/"$1"}
	printf 'pg-copy-out --query %q' "$query"
}
