-- stages.sql - where a run puts what it reads, until all of it is there.  Run by load with :stage and :run_date.
-- Money has any number of decimals here, and is rounded to the cent when it is merged; before the point it is as large as the tables
-- take, so that a larger one is a bad record of its own.
CREATE UNLOGGED TABLE :"stage" (LIKE orders, email text, phone text, customer_locale text);
ALTER TABLE :"stage" ALTER total_price TYPE numeric(112,100), ALTER subtotal_price TYPE numeric(112,100),
  ALTER total_tax TYPE numeric(112,100), ALTER total_discounts TYPE numeric(112,100),
  ALTER total_line_items_price TYPE numeric(112,100), ALTER total_price_usd TYPE numeric(112,100);
SELECT :'stage' || '_items' AS items, :'stage' || '_users' AS users, :'stage' || '_good' AS good, :'stage' || '_dated' AS dated \gset
CREATE UNLOGGED TABLE :"items" (LIKE order_line_items);
CREATE VIEW :"users" AS
SELECT DISTINCT ON (user_id) user_id AS id, email, phone, customer_locale, updated_at
FROM :"stage" WHERE user_id IS NOT NULL ORDER BY user_id, updated_at DESC NULLS LAST, ctid DESC;
-- the items whose order was good
CREATE VIEW :"good" AS SELECT i.* FROM :"items" i WHERE EXISTS (SELECT FROM :"stage" o WHERE o.id = i.order_id);
SELECT format('CREATE VIEW %I AS SELECT %L::date AS run_date, o.* FROM %I o', :'dated', :'run_date', :'stage') \gexec
