/*
 * knack/zones.c - the names that Knack has for time zones.
 *
 * They are old display names of Windows, and their spacing varies.  Where one names places that have gone separate ways
 * since, it is the zone that most of them are in.
 */
#include "knack/zones.h"

static const struct { const char *knack, *iana; } zones[] = {
	{ "Samoa", "Pacific/Pago_Pago" },
	{ "Hawaii", "Pacific/Honolulu" },
	{ "Marquesas Islands", "Pacific/Marquesas" },
	{ "Alaska", "America/Anchorage" },
	{ "Baja California", "America/Tijuana" },
	{ "Pacific Time (US & Canada)", "America/Los_Angeles" },
	{ "Chihuahua, Mazatlan", "America/Chihuahua" },
	{ "Arizona", "America/Phoenix" },
	{ "Mountain Time (US & Canada)", "America/Denver" },
	{ "Central Time (US & Canada)", "America/Chicago" },
	{ "Central America", "America/Guatemala" },
	{ "Guadalajara, Mexico City, Monterrey", "America/Mexico_City" },
	{ "Saskatchewan", "America/Regina" },
	{ "Bogota, Lima, Quito", "America/Bogota" },
	{ "Eastern Time (US & Canada)", "America/New_York" },
	{ "Indiana (East)", "America/Indiana/Indianapolis" },
	{ "Caracas", "America/Caracas" },
	{ "Atlantic Time (Canada)", "America/Halifax" },
	{ "Asuncion", "America/Asuncion" },
	{ "Cuiaba", "America/Cuiaba" },
	{ "Santiago", "America/Santiago" },
	{ "Georgetown, La Paz, Manaus, San Juan", "America/La_Paz" },
	{ "Newfoundland", "America/St_Johns" },
	{ "Buenos Aires", "America/Argentina/Buenos_Aires" },
	{ "Brasilia", "America/Sao_Paulo" },
	{ "Cayenne, Fortaleza", "America/Cayenne" },
	{ "Montevideo", "America/Montevideo" },
	{ "Greenland", "America/Nuuk" },
	{ "Azores", "Atlantic/Azores" },
	{ "Cape Verde Is.", "Atlantic/Cape_Verde" },
	{ "Casablanca", "Africa/Casablanca" },
	{ "Monrovia, Reykjavik", "Atlantic/Reykjavik" },
	{ "Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London", "Europe/London" },
	{ "Sarajevo, Skopje, Warsaw, Zagreb", "Europe/Warsaw" },
	{ "West Central Africa", "Africa/Lagos" },
	{ "Belgrade, Bratislava, Budapest, Ljubljana, Prague", "Europe/Budapest" },
	{ "Brussels, Copenhagen, Madrid, Paris", "Europe/Paris" },
	{ "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin" },
	{ "Harare, Pretoria", "Africa/Johannesburg" },
	{ "Damascus", "Asia/Damascus" },
	{ "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius", "Europe/Helsinki" },
	{ "Windhoek", "Africa/Windhoek" },
	{ "Minsk", "Europe/Minsk" },
	{ "Athens, Bucharest, Istanbul", "Europe/Athens" },
	{ "Amman", "Asia/Amman" },
	{ "Beirut", "Asia/Beirut" },
	{ "Jerusalem", "Asia/Jerusalem" },
	{ "Cairo", "Africa/Cairo" },
	{ "Kuwait, Riyadh", "Asia/Riyadh" },
	{ "Moscow, St. Petersburg, Volgograd", "Europe/Moscow" },
	{ "Baghdad", "Asia/Baghdad" },
	{ "Nairobi", "Africa/Nairobi" },
	{ "Tehran", "Asia/Tehran" },
	{ "Port Louis", "Indian/Mauritius" },
	{ "Tbilisi", "Asia/Tbilisi" },
	{ "Baku", "Asia/Baku" },
	{ "Yerevan", "Asia/Yerevan" },
	{ "Abu Dhabi, Muscat", "Asia/Dubai" },
	{ "Kabul", "Asia/Kabul" },
	{ "Yekaterinburg", "Asia/Yekaterinburg" },
	{ "Islamabad, Karachi", "Asia/Karachi" },
	{ "Tashkent", "Asia/Tashkent" },
	{ "Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata" },
	{ "Sri Jayawardenepura", "Asia/Colombo" },
	{ "Kathmandu", "Asia/Kathmandu" },
	{ "Dhaka", "Asia/Dhaka" },
	{ "Novosibirsk", "Asia/Novosibirsk" },
	{ "Astana", "Asia/Almaty" },
	{ "Yangon (Rangoon)", "Asia/Yangon" },
	{ "Krasnoyarsk", "Asia/Krasnoyarsk" },
	{ "Bangkok, Hanoi, Jakarta", "Asia/Bangkok" },
	{ "Ulaanbaatar", "Asia/Ulaanbaatar" },
	{ "Perth", "Australia/Perth" },
	{ "Taipei", "Asia/Taipei" },
	{ "Kuala Lumpur, Singapore", "Asia/Singapore" },
	{ "Beijing, Chongqing, Hong Kong, Urumqi", "Asia/Shanghai" },
	{ "Irkutsk", "Asia/Irkutsk" },
	{ "Pyongyang", "Asia/Pyongyang" },
	{ "Eucla", "Australia/Eucla" },
	{ "Seoul", "Asia/Seoul" },
	{ "Osaka, Sapporo, Tokyo", "Asia/Tokyo" },
	{ "Yakutsk", "Asia/Yakutsk" },
	{ "Darwin", "Australia/Darwin" },
	{ "Adelaide", "Australia/Adelaide" },
	{ "Hobart", "Australia/Hobart" },
	{ "Vladivostok", "Asia/Vladivostok" },
	{ "Guam, Port Moresby", "Pacific/Port_Moresby" },
	{ "Brisbane", "Australia/Brisbane" },
	{ "Canberra, Melbourne, Sydney", "Australia/Sydney" },
	{ "Lord Howe Island", "Australia/Lord_Howe" },
	{ "Magadan, Solomon Is., New Caledonia", "Asia/Magadan" },
	{ "Fiji", "Pacific/Fiji" },
	{ "Petropavlovsk-Kamchatsky", "Asia/Kamchatka" },
	{ "Auckland, Wellington", "Pacific/Auckland" },
	{ "Chatham Islands", "Pacific/Chatham" },
	{ "Phoenix Islands, Tokelau, Tonga", "Pacific/Tongatapu" },
	{ "Line Islands", "Pacific/Kiritimati" },
};

/* The next byte of a name in lower case, without the spaces; 0 at its end. */
static int
next_letter(const char **p, const char *end)
{
	while (*p < end && **p == ' ')
		(*p)++;
	if (*p == end)
		return 0;

	char c = *(*p)++;

	return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

static bool
same_name(struct str a, struct str b)
{
	const char *p = a.p, *q = b.p;
	int c;

	do
		if ((c = next_letter(&p, a.p + a.n)) != next_letter(&q, b.p + b.n))
			return false;
	while (c != 0);
	return true;
}

const char *
knack_zones_find(struct str name)
{
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		if (same_name(name, str_of(zones[i].knack)))
			return zones[i].iana;
	return NULL;
}
