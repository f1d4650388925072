# shellcheck shell=bash
# doctor.sh - what the 311 flow needs, for culvert-doctor.

# Settings that do not hold are the settings check's to say; what it needs them for is left out then.
start_check settings check_settings load
if found=$( (read_settings_of 311 && DATASETS=$(beside "$DATASETS") && jq -er 'select(.domain and .table and (.datasets | length > 0)) |
    ([.domain, .table, (.datasets | max_by(.year) | .id, .year)] | @tsv), (.views[]?.name + ":rco")' "$DATASETS") 2>/dev/null); then
	read_settings_of 311
	DATASETS=$(beside "$DATASETS")
	mapfile -t found <<<"$found"
	IFS=$'\t' read -r domain table dataset year <<<"${found[0]}"
	views=("${found[@]:1}")
	start_check database check_database "$table:rwdcso" load_log:rwc "${views[@]}"
	start_check host check_host "${SODA_URL:-https://$domain}"
	check_dataset() {
		is_set SOCRATA_APP_TOKEN || notice 'Socrata app token' 'none is set, and requests without one share a small quota' 'SOCRATA_APP_TOKEN; one is free, from the portal'
		ask "dataset $dataset" 'see SOCRATA_APP_TOKEN, or that the dataset is public' \
		    soda-fetch "${net[@]}" ${SODA_URL:+--base-url "$SODA_URL"} --api "$SODA_API" --count "$domain" "$dataset" || return 0
		ok "dataset $dataset" "$answer rows of $year at $domain"
	}
	start_check dataset check_dataset
	[[ -z $API_URL ]] || start_check API check_host "$API_URL"
fi
start_check slack check_slack
start_check airflow check_airflow culvert_311
