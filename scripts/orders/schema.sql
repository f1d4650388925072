-- schema.sql - the tables of orders and what is made of them.  Run by load with :timezone, the shop's.
-- What is there already stays as it is; the foreign keys are in keys.sql.
SET client_min_messages = warning;

CREATE TABLE IF NOT EXISTS users (
  id bigint PRIMARY KEY,  -- who rang up the order, as orders.user_id
  email text,
  phone text,
  customer_locale text,
  updated_at timestamptz  -- of the order that this is of: the newest one
);

CREATE TABLE IF NOT EXISTS orders (
  id bigint PRIMARY KEY,
  closed_at timestamptz,
  created_at timestamptz,
  updated_at timestamptz,
  number integer,
  note text,
  token text,
  gateway text,
  test boolean,
  total_price numeric(14,2),
  subtotal_price numeric(14,2),
  total_weight integer,  -- grams
  total_tax numeric(14,2),
  taxes_included boolean,
  currency text,
  financial_status text,
  confirmed boolean,
  total_discounts numeric(14,2),
  total_line_items_price numeric(14,2),
  cart_token text,
  buyer_accepts_marketing boolean,
  name text,
  referring_site text,
  landing_site text,
  cancelled_at timestamptz,
  cancel_reason text,
  total_price_usd numeric(14,2),
  checkout_token text,
  reference text,
  user_id bigint,  -- null: a web order
  location_id bigint,
  source_identifier text,
  source_url text,
  processed_at timestamptz,
  device_id bigint,
  app_id bigint,
  browser_ip text,
  landing_site_ref text,
  order_number integer,
  processing_method text,
  checkout_id bigint,
  source_name text,
  fulfillment_status text,
  tags text,
  contact_email text,
  order_status_url text
);

CREATE TABLE IF NOT EXISTS order_line_items (
  id bigint PRIMARY KEY,
  order_id bigint NOT NULL,
  variant_id bigint,
  product_id bigint,
  quantity integer,
  order_updated_at timestamptz  -- of the order that it came with: an older one does not overwrite it
);

-- A view keeps the time zone that it was made with; the comment says which.
SELECT to_regclass('order_summary') IS NOT NULL
  AND obj_description(to_regclass('order_summary'), 'pg_class') IS DISTINCT FROM 'days in ' || :'timezone' AS stale \gset
\if :stale
DROP MATERIALIZED VIEW order_summary;
\endif
-- Items are added up for each order first: joined as they are, an order would count once for each of them.
SELECT to_regclass('order_summary') IS NULL AS missing \gset
\if :missing
BEGIN;
CREATE MATERIALIZED VIEW order_summary AS
SELECT (created_at AT TIME ZONE :'timezone')::date AS day,
  currency,
  count(*) FILTER (WHERE cancelled_at IS NULL) AS orders,
  coalesce(sum(items) FILTER (WHERE cancelled_at IS NULL), 0)::bigint AS items,
  coalesce(sum(total_line_items_price) FILTER (WHERE cancelled_at IS NULL), 0) AS gross,
  coalesce(sum(total_discounts) FILTER (WHERE cancelled_at IS NULL), 0) AS discounts,
  coalesce(sum(total_tax) FILTER (WHERE cancelled_at IS NULL), 0) AS tax,
  coalesce(sum(total_price) FILTER (WHERE cancelled_at IS NULL), 0) AS total,
  count(*) FILTER (WHERE cancelled_at IS NOT NULL) AS cancelled
FROM orders LEFT JOIN (SELECT order_id, sum(quantity) AS items FROM order_line_items GROUP BY order_id) i ON i.order_id = orders.id
WHERE test IS NOT TRUE
GROUP BY 1, 2;
CREATE UNIQUE INDEX order_summary_day ON order_summary (day, currency);
SELECT format('COMMENT ON MATERIALIZED VIEW order_summary IS %L', 'days in ' || :'timezone') \gexec
COMMIT;
\endif
