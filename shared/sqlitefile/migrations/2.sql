-- The messages of all queues. Times are Unix milliseconds. A message can be
-- received from visible on; until then it is delayed (never received) or in
-- flight. receives, counted up by each receive, tells the receipts of a message
-- apart.
CREATE TABLE messages (
    id             TEXT NOT NULL PRIMARY KEY,
    queue          TEXT NOT NULL,
    body           TEXT NOT NULL,
    sent           INTEGER NOT NULL,
    visible        INTEGER NOT NULL,
    receives       INTEGER NOT NULL,
    first_received INTEGER
) STRICT;

-- Holds all that counting a queue needs.
CREATE INDEX messages_by_visibility ON messages (queue, visible, receives, sent);
