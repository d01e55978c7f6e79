-- insert_entry --
-- The rows' values are repeated as often as there are entries.
INSERT INTO entry (position, at_us, kind, exchange, participant, refs, mapping, findings, payload_hash, leaf_hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_payload --
INSERT INTO payload (position, salt, body) VALUES (?, ?, ?)

-- insert_subtree --
INSERT INTO subtree (level, number, hash) VALUES (?, ?, ?)

-- insert_checkpoint --
INSERT INTO checkpoint (size, note) VALUES (?, ?)

-- insert_segment --
INSERT INTO segment (number, first_at_us, last_at_us)
SELECT :number, min(at_us), max(at_us) FROM entry WHERE position BETWEEN :first AND :last

-- insert_references --
-- One statement, so that the interpreter lock is not taken while it runs; sorted, so that pages are filled in order.
INSERT OR IGNORE INTO reference (segment, value, position)
SELECT :number, value, position FROM (
    SELECT r.value AS value, e.position AS position FROM entry AS e, json_each(e.refs) AS r
    WHERE e.position BETWEEN :first AND :last
    UNION ALL
    SELECT exchange, position FROM entry WHERE position BETWEEN :first AND :last
)
WHERE value <> ''
ORDER BY 2, 3

-- insert_meta --
INSERT INTO meta (name, value) VALUES (?, ?)

-- meta --
SELECT name, value FROM meta

-- last_position --
SELECT coalesce(max(position), 0) FROM entry

-- leaf_hash --
SELECT leaf_hash FROM entry WHERE position = ?

-- subtree_hash --
SELECT hash FROM subtree WHERE level = ? AND number = ?

-- last_checkpoint --
SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1

-- replay --
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.body
FROM entry AS e LEFT JOIN payload AS p USING (position)
WHERE e.position > ? ORDER BY e.position LIMIT ?

-- read --
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.body
FROM entry AS e LEFT JOIN payload AS p USING (position)
WHERE e.position = ?

-- at --
-- The entries at given positions (a JSON array).
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.body
FROM json_each(:among) AS a JOIN entry AS e ON e.position = a.value LEFT JOIN payload AS p USING (position)
ORDER BY e.position

-- verify_entries --
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, e.payload_hash,
       e.leaf_hash, p.salt, p.body
FROM entry AS e LEFT JOIN payload AS p USING (position)
WHERE e.position > ? ORDER BY e.position

-- verify_checkpoints --
SELECT size, note FROM checkpoint ORDER BY size

-- verify_subtrees --
SELECT level, number, hash FROM subtree

-- verify_segments --
SELECT number, first_at_us, last_at_us FROM segment ORDER BY number

-- verify_references --
SELECT segment, value, position FROM reference

-- verify_findings --
SELECT count(*) FROM entry WHERE findings <> '[]'

-- count_payloads --
SELECT count(*) FROM payload

-- stray_payloads --
SELECT position FROM payload WHERE position NOT IN (SELECT position FROM entry) ORDER BY position

-- list --
-- From the newest back, as far as the limit goes.
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.body
FROM entry AS e LEFT JOIN payload AS p USING (position)
WHERE e.position BETWEEN :low AND :high
  AND (:since_us IS NULL OR e.at_us >= :since_us)
  AND (:until_us IS NULL OR e.at_us < :until_us)
  AND (:kind IS NULL OR e.kind = :kind)
  AND (:participant IS NULL OR e.participant = :participant)
  AND (:exchange IS NULL OR e.exchange = :exchange)
ORDER BY e.position DESC LIMIT :limit

-- each --
-- All entries of a kind between two positions, in order, one by one.
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.body
FROM entry AS e LEFT JOIN payload AS p USING (position)
WHERE e.position BETWEEN :low AND :high
  AND (:since_us IS NULL OR e.at_us >= :since_us)
  AND (:until_us IS NULL OR e.at_us < :until_us)
  AND e.kind = :kind
ORDER BY e.position

-- list_among --
-- The same, among given positions (a JSON array).
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.body
FROM json_each(:among) AS a JOIN entry AS e ON e.position = a.value LEFT JOIN payload AS p USING (position)
WHERE e.position BETWEEN :low AND :high
  AND (:since_us IS NULL OR e.at_us >= :since_us)
  AND (:until_us IS NULL OR e.at_us < :until_us)
  AND (:kind IS NULL OR e.kind = :kind)
  AND (:participant IS NULL OR e.participant = :participant)
  AND (:exchange IS NULL OR e.exchange = :exchange)
ORDER BY e.position DESC LIMIT :limit

-- lowest_since --
-- No entry before this position is as late as :since_us.
SELECT coalesce((SELECT min(number) * 1024 + 1 FROM segment WHERE last_at_us >= :since_us),
                (SELECT max(number) * 1024 + 1025 FROM segment), 1)

-- highest_until --
-- No entry behind this position is as early as :until_us; null where that cannot be said.
SELECT CASE WHEN EXISTS (SELECT 1 FROM entry
                         WHERE position > coalesce((SELECT max(number) * 1024 + 1024 FROM segment), 0)
                           AND at_us < :until_us)
            THEN NULL
            ELSE (SELECT coalesce(max(number) * 1024 + 1024, 0) FROM segment WHERE first_at_us < :until_us) END

-- with_finding --
SELECT position FROM entry
WHERE findings <> '[]' AND EXISTS (SELECT 1 FROM json_each(entry.findings) AS j WHERE j.value = :finding)

-- find --
-- Every position whose entry has this value as a reference or is of this exchange.
SELECT r.position FROM segment AS s CROSS JOIN reference AS r ON r.segment = s.number AND r.value = :value
UNION
SELECT e.position FROM entry AS e
WHERE e.position > coalesce((SELECT max(number) * 1024 + 1024 FROM segment), 0)
  AND (e.exchange = :value OR EXISTS (SELECT 1 FROM json_each(e.refs) AS j WHERE j.value = :value))
ORDER BY 1

-- segment_references --
SELECT value, position FROM reference WHERE segment = ?

-- segment_entries --
SELECT position, exchange, refs FROM entry WHERE position BETWEEN ? AND ?

-- of_kind --
-- Of given positions those of one kind; the list is put in place by its length.
SELECT position FROM entry WHERE kind = ? AND position IN (:among) ORDER BY position

-- add_state --
INSERT INTO state (reference, sequence, status) VALUES (?, ?, ?)

-- sort_states --
CREATE INDEX by_reference ON state (reference, sequence, status)

-- superseded --
-- Few trades are told of twice: those are found along the index, and only their entries are looked at.
SELECT s.sequence FROM (
    SELECT reference, max(sequence) AS last FROM state
    GROUP BY reference HAVING count(*) > 1 OR max(status = :cancelled)
) AS told CROSS JOIN state AS s ON s.reference = told.reference
WHERE s.sequence < told.last OR s.status = :cancelled ORDER BY 1
