# shellcheck shell=bash
# host.sh - culvert-doctor's checks of a server: name, certificate, clock.

# check_host URL: with the proxies and certificates that the tools would use, for they use curl's library.
check_host() {
	local url=$1 host port status=0 seen said addresses
	[[ $url =~ ^(https?)://([^/@?#]*@)?(\[[0-9a-fA-F:]+\]|[^/:?#]+)(:([0-9]+))? ]] || { bad 78 "host ${url%%\?*}" 'is no http or https URL' 'set it right'; return; }
	host=${BASH_REMATCH[3]} port=${BASH_REMATCH[5]:-}
	url=${BASH_REMATCH[1]}://$host${port:+:$port}/
	seen=$notes.host
	curl -sS --connect-timeout 10 --max-time 20 -o /dev/null -D "$seen.head" -w '%{http_connect} %{remote_ip}\n%{certs}' "$url" >"$seen.out" 2>"$seen.err" || status=$?
	addresses=$(sed -n '1{s/^000 //p;s/^[1-9].*/by the proxy/p;}' "$seen.out")
	said=$(sed -n 's/^curl: ([0-9]*) //p' "$seen.err" | tail -n 1)
	if [[ -s $seen.head && $(head -n 1 "$seen.head") == *' 407'* ]]; then
		bad 77 "proxy for $host" 'it wants another name and password' 'https_proxy=http://name:password@host:port'
		return
	fi
	case $status in
	6) bad 69 "dns $host" 'the name does not resolve' 'see the spelling, /etc/resolv.conf and whether a proxy is needed'; return ;;
	5) bad 69 "proxy for $host" "$said" 'see https_proxy'; return ;;
	60 | 51) bad 76 "tls $host" "$said" "$(certificate_mend "$said")"; return ;;
	35) bad 76 "tls $host" "$said" 'see whether TLS is spoken there, and what the proxy does to it'; return ;;
	77) bad 78 "tls $host" "$said" 'see CURL_CA_BUNDLE and SSL_CERT_FILE'; return ;;
	0 | 52) ;;	# an empty reply is one, too
	*) bad 69 "host $host" "${said:-no answer}" 'see that it is up, and that firewall and proxy let us there'; return ;;
	esac
	ok "dns $host" "${addresses:-it resolves}"
	[[ $url != https:* ]] || certificate_lasts "$host" "$seen.out"
	clock_of "$host" "$(sed -n 's/^[Dd][Aa][Tt][Ee]: *//p' "$seen.head" | tr -d '\r' | tail -n 1)"
}
certificate_mend() {
	case $1 in
	*expired*) echo 'its owner has to renew it; or this clock is wrong' ;;
	*'not yet valid'*) echo 'see whether this clock is right' ;;
	*self-signed* | *'self signed'* | *issuer*) echo 'if it is yours, or your proxy'\''s, name its CA in CURL_CA_BUNDLE; else somebody is in between' ;;
	*'match'*) echo 'see the address: another host answers there' ;;
	*) echo 'see who answers there' ;;
	esac
}
certificate_lasts() {	# certificate_lasts HOST FILE
	local until seconds
	until=$(sed -n 's/^Expire date: *//p' "$2" | head -n 1)
	if [[ -z $until ]] || ! seconds=$(date -d "$until" +%s 2>/dev/null); then
		ok "tls $1" 'the certificate is good'
	elif (((seconds - $(date +%s)) / 86400 < 14)); then
		notice "tls $1" "the certificate ends in $(((seconds - $(date +%s)) / 86400)) days" 'see that it is renewed in time'
	else
		ok "tls $1" "the certificate is good for $(((seconds - $(date +%s)) / 86400)) days"
	fi
}
# S3 refuses requests that are 15 minutes off, and 5 leave no room to drift.
clock_of() {		# clock_of WHERE TIME: of another clock, as of now
	local there skew
	[[ -n $2 ]] && there=$(date -d "$2" +%s 2>/dev/null) || return 0
	skew=$(($(date +%s) - there))
	if ((skew > 300 || skew < -300)); then
		bad 78 "clock against $1" "this clock is $(apart "$skew")" 'set it by NTP (timedatectl set-ntp true): S3 refuses what is signed so'
	elif ((skew > 30 || skew < -30)); then
		notice "clock against $1" "this clock is $(apart "$skew")" 'set it by NTP: timedatectl set-ntp true'
	else
		ok "clock against $1" "$skew s apart"
	fi
}
apart() {
	local by=${1#-}
	((by < 120)) && by="$by s" || by="$(((by + 30) / 60)) min"
	[[ $1 == -* ]] && echo "$by slow" || echo "$by fast"
}
