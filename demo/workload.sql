-- What happens in the shop, step by step, again and again. Each step changes a few rows. Rows are purged as fast as
-- they are deleted, so that the demo can run for a long time; only messages are never purged.

-- step: customers sign up
INSERT INTO customers (email, name)
SELECT gen_random_uuid() || '@example.com', 'New Customer' FROM generate_series(1, 2);

-- step: customers fill carts
INSERT INTO carts (customer_id, items)
SELECT 1 + (random() * 1000)::bigint, 1 + (random() * 8)::int FROM generate_series(1, 10);

-- step: carts are abandoned
UPDATE carts SET deleted_at = now()
WHERE id IN (SELECT id FROM carts WHERE deleted_at IS NULL ORDER BY id LIMIT 8);

-- step: one of them is found again
UPDATE carts SET deleted_at = NULL
WHERE id IN (SELECT id FROM carts WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1);

-- step: the oldest abandoned carts are purged
DELETE FROM carts
WHERE id IN (SELECT id FROM carts WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 10);

-- step: somebody writes to the support
INSERT INTO messages (ticket_id, body)
SELECT 1 + (random() * 1000)::bigint, 'Where is my parcel?' FROM generate_series(1, 2);

-- step: the support deletes a message, which nobody will ever purge
UPDATE messages SET deleted_at = now()
WHERE id = (SELECT id FROM messages WHERE deleted_at IS NULL ORDER BY id LIMIT 1);

-- step: products leave the catalogue
UPDATE products SET is_deleted = true, deleted_at = now(), deleted_by = 'workload'
WHERE id IN (SELECT id FROM products WHERE is_deleted = false ORDER BY id LIMIT 3);

-- step: products come back, and their time is forgotten
UPDATE products SET is_deleted = false, deleted_by = NULL
WHERE id IN (SELECT id FROM products WHERE is_deleted ORDER BY id DESC LIMIT 3);

-- step: parcels are shipped
INSERT INTO shipments (cart_id, carrier, shipped_at)
SELECT 1 + (random() * 1000)::bigint, 'Post', now() FROM generate_series(1, 4);

-- step: one shipment is cancelled
UPDATE shipments SET deleted_at = now()
WHERE (id, shipped_at) IN (
  SELECT id, shipped_at FROM shipments
  WHERE deleted_at IS NULL AND shipped_at > now() - interval '1 hour' ORDER BY shipped_at LIMIT 1);

-- step: the oldest shipments are purged
DELETE FROM shipments
WHERE (id, shipped_at) IN (SELECT id, shipped_at FROM shipments WHERE shipped_at < now() - interval '300 days' ORDER BY shipped_at LIMIT 4);

-- step: reviews are written
INSERT INTO reviews (product_id, stars, body)
SELECT 1 + (random() * 1000)::bigint, 1 + (random() * 4)::int, 'It wobbles.' FROM generate_series(1, 3);

-- step: reviews are moderated away
UPDATE reviews SET deleted_at = now()
WHERE id IN (SELECT id FROM reviews WHERE deleted_at IS NULL ORDER BY id LIMIT 2);

-- step: the oldest deleted reviews are purged
DELETE FROM reviews
WHERE id IN (SELECT id FROM reviews WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 3);

-- step: customers leave
UPDATE customers SET deleted_at = now()
WHERE id IN (SELECT id FROM customers WHERE deleted_at IS NULL ORDER BY id LIMIT 2);

-- step: one of them is sorry
UPDATE customers SET deleted_at = NULL
WHERE id = (SELECT id FROM customers WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1);

-- step: the oldest deleted customers are purged
DELETE FROM customers
WHERE id IN (SELECT id FROM customers WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 2);
