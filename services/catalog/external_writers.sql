-- External writers: what a plain UPDATE by somebody else's program changes reaches every cache (PostgreSQL).
--
--     UPDATE products ... by anybody ──trigger──▶ version + 1, an audit row, an outbox row      one transaction
--     every node's agent ── looks ──▶ outbox row, 200 to 300 ms after the commit ──▶ invalidation
--
-- The catalogue's own connections say `tocsin.announces = on` as they connect: what they write is announced, audited
-- and in the outbox already. Whoever does not say so is external. Nothing is announced beforehand for them, so other
-- nodes may show the old row until the invalidation arrives: at most the lease and 300 ms after the commit.
--
-- `python -m catalog init-db` installs this, and may be repeated. Not together with the write path write-behind, whose
-- journal holds writes that the table does not have yet and would overwrite an external one.

CREATE OR REPLACE FUNCTION tocsin_is_announced() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT coalesce(current_setting('tocsin.announces', true), '') = 'on' $$;

-- Before the row is written: an external writer need not know that there are versions.
CREATE OR REPLACE FUNCTION tocsin_give_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT tocsin_is_announced() THEN
        NEW.version := CASE WHEN TG_OP = 'UPDATE' THEN OLD.version + 1 ELSE 1 END;
    END IF;
    RETURN NEW;
END
$$;

-- After it: the names of docs/contract.md, section 3, those of before and those of after.
CREATE OR REPLACE FUNCTION tocsin_make_known() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    product integer := CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END;
    categories text[] := ARRAY(
        SELECT DISTINCT 'category:' || category
        FROM unnest(ARRAY[
            CASE WHEN TG_OP <> 'INSERT' THEN OLD.category END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.category END
        ]) AS category
        WHERE category <> ''
    );
BEGIN
    IF tocsin_is_announced() THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit (key, version, operation_id, node, kind) VALUES (
        'product:' || product,
        CASE WHEN TG_OP = 'DELETE' THEN OLD.version + 1 ELSE NEW.version END,
        'external-' || gen_random_uuid(),
        'external',
        CASE
            WHEN TG_OP = 'INSERT' THEN 'create'
            WHEN TG_OP = 'DELETE' OR NEW.deleted THEN 'delete'
            ELSE 'update'
        END
    );
    INSERT INTO outbox (keys, tags, namespaces, created_at, acknowledged) VALUES (
        json_build_array('product:' || product),
        to_json(categories),
        '["products"]',
        extract(epoch FROM clock_timestamp()),
        false
    );
    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS tocsin_give_version ON products;
CREATE TRIGGER tocsin_give_version BEFORE INSERT OR UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION tocsin_give_version();

DROP TRIGGER IF EXISTS tocsin_make_known ON products;
CREATE TRIGGER tocsin_make_known AFTER INSERT OR UPDATE OR DELETE ON products
    FOR EACH ROW EXECUTE FUNCTION tocsin_make_known();
