SELECT t.id AS trip_id, d.id AS device_id, t.vehicle_type, t.trip_duration, t.trip_distance,
  to_char(t.start_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS start_time,
  to_char(t.end_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS end_time,
  to_char(t.modified_date AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS modified_date,
  to_char(t.start_time AT TIME ZONE :zone, 'YYYY-MM-DD"T"HH24:MI:SS') AS start_time_us_central,
  to_char(t.end_time AT TIME ZONE :zone, 'YYYY-MM-DD"T"HH24:MI:SS') AS end_time_us_central,
  extract(year FROM t.end_time AT TIME ZONE 'UTC')::int AS year,
  extract(month FROM t.end_time AT TIME ZONE 'UTC')::int AS month,
  extract(hour FROM t.end_time AT TIME ZONE 'UTC')::int AS hour,
  extract(isodow FROM t.end_time AT TIME ZONE 'UTC')::int - 1 AS day_of_week,
  coalesce(to_json(nullif(t.council_district_start::text, 'None')), '0') AS council_district_start,
  coalesce(to_json(nullif(t.council_district_end::text, 'None')), '0') AS council_district_end,
  coalesce(to_json(nullif(t.census_geoid_start::text, 'None')), '0') AS census_geoid_start,
  coalesce(to_json(nullif(t.census_geoid_end::text, 'None')), '0') AS census_geoid_end
FROM api.trips t LEFT JOIN api.device d ON d.device_id = t.device_id
WHERE :condition
ORDER BY t.id
