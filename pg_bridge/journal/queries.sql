-- name: add_entry
INSERT INTO entry (position, at_us, kind, exchange, participant, refs, mapping, findings, payload_hash, leaf_hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: add_payload
INSERT INTO payload (position, salt, payload) VALUES (?, ?, ?)

-- name: add_reference
INSERT OR IGNORE INTO reference (value, position) VALUES (?, ?)

-- name: add_checkpoint
INSERT OR REPLACE INTO checkpoint (size, note) VALUES (?, ?)

-- name: entries_behind
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.payload
FROM entry e LEFT JOIN payload p ON p.position = e.position
WHERE e.position > ? ORDER BY e.position LIMIT ?

-- name: one_entry
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, p.payload
FROM entry e LEFT JOIN payload p ON p.position = e.position WHERE e.position = ?

-- name: leaves
SELECT leaf_hash FROM entry ORDER BY position

-- name: whole_entries
SELECT e.position, e.at_us, e.kind, e.exchange, e.participant, e.refs, e.mapping, e.findings, e.payload_hash,
       e.leaf_hash, p.salt, p.payload
FROM entry e LEFT JOIN payload p ON p.position = e.position ORDER BY e.position

-- name: orphan_payloads
SELECT position FROM payload WHERE position NOT IN (SELECT position FROM entry)

-- name: checkpoints
SELECT size, note FROM checkpoint ORDER BY size

-- name: meta
SELECT value FROM meta WHERE name = ?

-- name: set_meta
INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)

-- name: positions_of_reference
SELECT position FROM reference WHERE value = ? ORDER BY position

-- name: exchanges_at
SELECT DISTINCT exchange FROM entry WHERE position IN (SELECT position FROM reference WHERE value = ?) AND exchange != ''

-- name: newest
SELECT position, at_us, kind, exchange, participant, refs, mapping, findings FROM entry
WHERE (:kind = '' OR kind = :kind) AND (:participant = '' OR participant = :participant)
  AND (:finding = '' OR instr(findings, '"' || :finding || '"') > 0)
  AND (:since_us = 0 OR at_us >= :since_us)
  AND (:reference = '' OR position IN (SELECT position FROM reference WHERE value = :reference))
ORDER BY position DESC LIMIT :most
