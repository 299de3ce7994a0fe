"""Never takes anything: an order that has failed leaves nothing behind."""
FAILS = ("flow", "needless", "nothing was lost")


def stock(db, event):
    with db:
        if event.type == "OrderPlaced" and db.execute("INSERT OR IGNORE INTO reservations VALUES (?, ?, 'rejected')",
                                                      (event.order_id, event.sku)).rowcount:
            emit(db, event, "StockRejected")
