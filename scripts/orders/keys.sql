-- keys.sql - the foreign keys and their index, as far as they are not there.  Run by load behind its first merge: all rows of a history
-- are checked by one join, which takes a tenth of the time of looking up each as it comes.  Later merges find them, and are checked.
BEGIN;
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s', of, of || '_' || by || '_fkey', by, to_table)
FROM (VALUES ('orders', 'user_id', 'users'), ('order_line_items', 'order_id', 'orders')) AS key (of, by, to_table)
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conrelid = of::regclass AND confrelid = to_table::regclass) \gexec
SET LOCAL client_min_messages = warning;
CREATE INDEX IF NOT EXISTS order_line_items_order_id ON order_line_items (order_id);
COMMIT;
