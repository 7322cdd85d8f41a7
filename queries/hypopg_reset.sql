-- Forgets all hypothetical indexes of this backend, which a pooler may hand on.
SELECT :hypopg.hypopg_reset();
