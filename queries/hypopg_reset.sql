-- Removes all hypothetical indexes of this backend, because a pooler may give it to another client.
SELECT :hypopg.hypopg_reset();
