-- schema.sql - the tables that trips are loaded into, as far as they are not there.  The schedule is mds-schedule's.
--
-- On a database of the old pipeline it adds the columns that are missing and leaves the rest as it is.
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS api;

CREATE TABLE IF NOT EXISTS api.device (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,	-- what is published in the place of device_id
  device_id uuid NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS api.trips (
  trip_id uuid NOT NULL CONSTRAINT trips_trip_id_pk PRIMARY KEY,
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,	-- what is published in the place of trip_id
  provider_id uuid, provider_name text,
  device_id uuid, vehicle_id text, vehicle_type text, propulsion_type jsonb,
  trip_duration numeric, trip_distance numeric, accuracy numeric,	-- s, m, m
  start_time timestamptz NOT NULL, end_time timestamptz NOT NULL, publication_time timestamptz,
  standard_cost numeric, actual_cost numeric,		-- in the currency's smallest unit
  currency text, parking_verification_url text,
  start_longitude double precision, start_latitude double precision,
  end_longitude double precision, end_latitude double precision,
  council_district_start text, council_district_end text,
  orig_cell_id text, dest_cell_id text,
  census_geoid_start text, census_geoid_end text,
  modified_date timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE api.trips ADD COLUMN IF NOT EXISTS currency text;
ALTER TABLE api.trips ADD COLUMN IF NOT EXISTS parking_verification_url text;
ALTER TABLE api.trips ADD COLUMN IF NOT EXISTS modified_date timestamptz NOT NULL DEFAULT now();
CREATE INDEX IF NOT EXISTS trips_provider_end_time ON api.trips (provider_id, end_time);

-- Every device has a number of its own before its trip is seen: in the same transaction.
CREATE OR REPLACE FUNCTION api.number_devices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO api.device (device_id)
  SELECT DISTINCT n.device_id FROM new_trips n
  WHERE n.device_id IS NOT NULL AND NOT EXISTS (SELECT FROM api.device d WHERE d.device_id = n.device_id)
  ON CONFLICT (device_id) DO NOTHING;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER devices_of_new_trips AFTER INSERT ON api.trips
  REFERENCING NEW TABLE AS new_trips FOR EACH STATEMENT EXECUTE FUNCTION api.number_devices();
CREATE OR REPLACE TRIGGER devices_of_changed_trips AFTER UPDATE ON api.trips
  REFERENCING NEW TABLE AS new_trips FOR EACH STATEMENT EXECUTE FUNCTION api.number_devices();

CREATE OR REPLACE FUNCTION api.touch_trip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.modified_date := now();
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER modified_trips BEFORE UPDATE ON api.trips FOR EACH ROW EXECUTE FUNCTION api.touch_trip();
