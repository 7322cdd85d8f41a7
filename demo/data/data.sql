-- The rows. They are the same in every run and in every version of PostgreSQL, except for their times, which count
-- back from now(), the moment of loading.
--
-- The setting demo.scale multiplies the number of rows; at 1 there are about a million. To load them by hand:
--   PGOPTIONS='-c demo.scale=0.1' psql -f schema.sql -f data.sql

-- How many rows a table gets.
CREATE FUNCTION pg_temp.rows(at_scale_1 int) RETURNS bigint STABLE LANGUAGE sql AS $$
  SELECT greatest(at_scale_1 * current_setting('demo.scale')::numeric, 1)::bigint
$$;

-- A number from 0 to n - 1 that looks random, for row i. Each use has its own salt. It is a hash, because the
-- sequence of random() changed between versions. The constant is the seed.
CREATE FUNCTION pg_temp.throw(salt int, i bigint, n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$
  SELECT (hashint8extended(i, 20260131 + salt) & 9223372036854775807) % n
$$;

-- The given number of hours and a half ago. Retentions are whole days, so with the half hour no row crosses its
-- retention in the first half hour after the load.
CREATE FUNCTION pg_temp.ago(hours bigint) RETURNS timestamptz STABLE LANGUAGE sql AS $$
  SELECT now() - hours * interval '1 hour' - interval '30 minutes'
$$;

-- In the tables below, gone is how many hours ago the row was deleted; NULL if it is live.

INSERT INTO customers (email, name, created_at, deleted_at)
SELECT format('customer%s@example.com', i),
       (ARRAY['Ada', 'Barbara', 'Edgar', 'Grace', 'Ines', 'Jim', 'Michael', 'Pat'])[1 + pg_temp.throw(10, i, 8)] || ' '
         || (ARRAY['Adeyemi', 'Bauer', 'Costa', 'Dubois', 'Eriksen', 'Novak', 'Rossi', 'Tanaka'])[1 + pg_temp.throw(11, i, 8)],
       pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(12, i, 3 * 365 * 24)),
       pg_temp.ago(gone)
FROM generate_series(1, pg_temp.rows(150000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(13, i, 100) < 3 THEN pg_temp.throw(14, i, 80 * 24) END AS gone) AS g;

INSERT INTO carts (customer_id, items, created_at, deleted_at)
SELECT 1 + pg_temp.throw(20, i, pg_temp.rows(150000)),
       pg_temp.throw(21, i, 9),
       pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(22, i, 14 * 24)),
       pg_temp.ago(gone)
FROM generate_series(1, pg_temp.rows(300000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(23, i, 100) < 72 THEN pg_temp.throw(24, i, 89 * 24) END AS gone) AS g;

INSERT INTO messages (ticket_id, body, created_at, deleted_at)
SELECT 1 + pg_temp.throw(30, i, pg_temp.rows(40000)),
       (ARRAY['Where is my parcel?', 'Thank you, it has arrived.', 'I would like to return two items of my last order.',
              'Your refund is on its way.', 'Could you please change the address of my order?'])[1 + pg_temp.throw(31, i, 5)],
       pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(32, i, 365 * 24)),
       pg_temp.ago(gone)
FROM generate_series(1, pg_temp.rows(160000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(33, i, 100) < 24 THEN pg_temp.throw(34, i, 400 * 24) END AS gone) AS g;

-- One deletion in 50 has no time, one restore in 100 did not clear the time, and an import left the flag of every
-- 250th live product NULL.
INSERT INTO products (sku, title, is_deleted, deleted_at, deleted_by)
SELECT format('SKU-%s', lpad(i::text, 6, '0')),
       (ARRAY['Chair', 'Desk', 'Lamp', 'Shelf', 'Sofa'])[1 + pg_temp.throw(40, i, 5)] || ' '
         || (ARRAY['Aalto', 'Bergen', 'Como', 'Delft'])[1 + pg_temp.throw(41, i, 4)],
       CASE WHEN gone IS NOT NULL THEN true WHEN i % 250 <> 0 THEN false END,
       CASE WHEN gone IS NOT NULL AND pg_temp.throw(42, i, 50) > 0 THEN pg_temp.ago(gone)
            WHEN gone IS NULL AND pg_temp.throw(43, i, 100) = 0 THEN pg_temp.ago(pg_temp.throw(44, i, 200 * 24)) END,
       CASE WHEN gone IS NOT NULL THEN 'catalogue' END
FROM generate_series(1, pg_temp.rows(30000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(45, i, 100) < 9 THEN pg_temp.throw(46, i, 110 * 24) END AS gone) AS g;

-- Shipments are cancelled within three days, or not at all.
INSERT INTO shipments (cart_id, carrier, shipped_at, deleted_at)
SELECT 1 + pg_temp.throw(50, i, pg_temp.rows(300000)),
       (ARRAY['Post', 'Courier', 'Freight'])[1 + pg_temp.throw(51, i, 3)],
       pg_temp.ago(shipped),
       CASE WHEN pg_temp.throw(52, i, 100) < 6 THEN pg_temp.ago(greatest(shipped - pg_temp.throw(53, i, 72), 0)) END
FROM generate_series(1, pg_temp.rows(180000)) AS i,
     LATERAL (SELECT pg_temp.throw(54, i, 390 * 24) AS shipped) AS s;

INSERT INTO "UserProfile" ("id", "userId", "bio", "createdAt", "deletedAt")
SELECT md5(i::text), i, 'Hello, I am number ' || i,
       pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(60, i, 2 * 365 * 24)) AT TIME ZONE 'UTC',
       pg_temp.ago(gone) AT TIME ZONE 'UTC'
FROM generate_series(1, pg_temp.rows(60000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(61, i, 100) < 12 THEN pg_temp.throw(62, i, 130 * 24) END AS gone) AS g;

INSERT INTO sellers (created_at, updated_at, deleted_at, email, shop_name)
SELECT pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(70, i, 3 * 365 * 24)),
       pg_temp.ago(coalesce(gone, 0)),
       pg_temp.ago(gone),
       format('seller%s@example.com', i), 'Shop ' || i
FROM generate_series(1, pg_temp.rows(20000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(71, i, 100) < 18 THEN pg_temp.throw(72, i, 700 * 24) END AS gone) AS g;

-- Every 250th address equals the one before.
INSERT INTO newsletter_subscribers (email, subscribed_at, deleted_at)
SELECT format('reader%s@example.com', CASE WHEN i % 250 = 0 THEN i - 1 ELSE i END),
       pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(80, i, 2 * 365 * 24)),
       pg_temp.ago(gone)
FROM generate_series(1, pg_temp.rows(60000)) AS i,
     LATERAL (SELECT CASE WHEN i % 250 NOT IN (0, 249) AND pg_temp.throw(81, i, 100) < 15 THEN pg_temp.throw(82, i, 92 * 24) END AS gone) AS g;

INSERT INTO reviews (product_id, stars, body, posted_at, deleted_at)
SELECT 1 + pg_temp.throw(90, i, pg_temp.rows(30000)),
       1 + pg_temp.throw(91, i, 5),
       (ARRAY['Does what it should.', 'Buy cheap watches here!!!', 'It wobbles.', 'We love it, the cat too.'])[1 + pg_temp.throw(92, i, 4)],
       pg_temp.ago(coalesce(gone, 0) + pg_temp.throw(93, i, 365 * 24)),
       pg_temp.ago(gone)
FROM generate_series(1, pg_temp.rows(80000)) AS i,
     LATERAL (SELECT CASE WHEN pg_temp.throw(94, i, 100) < 42 THEN pg_temp.throw(95, i, 91 * 24) END AS gone) AS g;

INSERT INTO account_deletions (email_hash, reason, deleted_at)
SELECT md5(i::text),
       (ARRAY['on request', 'inactive', 'fraud'])[1 + pg_temp.throw(100, i, 3)],
       pg_temp.ago(pg_temp.throw(101, i, 3 * 365 * 24))
FROM generate_series(1, pg_temp.rows(10000)) AS i;

