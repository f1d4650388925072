#!/usr/bin/env python3
"""pandas-orders.py ZIP - a zip of batches into PostgreSQL as the pipeline before us did: every order in memory, then three
tables dropped and made again by to_sql.  The connection is libpq's, by its environment."""
import json
import sys
import zipfile

import pandas
import sqlalchemy

NOT_OF_ORDERS = ("email", "phone", "customer_locale", "line_items", "total_discount")

orders, users, items = [], [], []
archive = zipfile.ZipFile(sys.argv[1])
for name in archive.namelist():
    for order in json.loads(archive.read(name)).get("orders", []):
        if order["user_id"]:            # without which the pipeline died
            users.append({"id": order["user_id"], "email": order["email"], "phone": order.get("phone"),
                          "customer_locale": order.get("customer_locale")})
        items += ({"id": item["id"], "order_id": order["id"], "variant_id": item["variant_id"], "product_id": item["product_id"],
                   "quantity": item["quantity"]} for item in order["line_items"])
        orders.append({key: value for key, value in order.items() if key not in NOT_OF_ORDERS})
engine = sqlalchemy.create_engine("postgresql+psycopg2://")
for name, rows in (("users", users), ("orders", orders), ("order_line_items", items)):
    pandas.DataFrame(rows).drop_duplicates().to_sql(name, engine, if_exists="replace", index=False)
