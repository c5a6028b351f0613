-- A journal as version 1 of the schema kept it: see README.md.
PRAGMA application_id = 1129538678;
PRAGMA user_version = 1;
CREATE TABLE name (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);
CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  persistence_id TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  service INTEGER NOT NULL REFERENCES name (id),     -- the one that wrote last
  last_sequence INTEGER NOT NULL,                    -- also the number of events: they count from 1 without gaps
  event_bytes INTEGER NOT NULL,                      -- of all payloads
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  UNIQUE (persistence_id, entity_id)
);
CREATE TABLE cause (                                 -- the commands that led to writes
  id INTEGER PRIMARY KEY,
  trace_id TEXT NOT NULL,
  service INTEGER NOT NULL REFERENCES name (id),
  method INTEGER NOT NULL REFERENCES name (id),
  type_url INTEGER NOT NULL REFERENCES name (id),
  payload BLOB NOT NULL
);
CREATE TABLE event (
  position INTEGER PRIMARY KEY AUTOINCREMENT,        -- in the whole journal, in the order of commits
  entity INTEGER NOT NULL REFERENCES entity (id),
  sequence INTEGER NOT NULL,
  service INTEGER NOT NULL REFERENCES name (id),
  time INTEGER NOT NULL,
  cause INTEGER NOT NULL REFERENCES cause (id),
  type_url INTEGER NOT NULL REFERENCES name (id),
  payload BLOB NOT NULL,
  UNIQUE (entity, sequence)
);
CREATE TABLE snapshot (
  id INTEGER PRIMARY KEY,
  entity INTEGER NOT NULL REFERENCES entity (id),
  sequence INTEGER NOT NULL,                         -- of the last event that it includes
  time INTEGER NOT NULL,
  cause INTEGER NOT NULL REFERENCES cause (id),
  type_url INTEGER NOT NULL REFERENCES name (id),
  payload BLOB NOT NULL,
  UNIQUE (entity, sequence)
);

INSERT INTO name (id, text) VALUES (1, 'example.Cart'), (2, 'Add'), (3, 'type.googleapis.com/example.AddItem'),
  (4, 'type.googleapis.com/example.ItemAdded'), (5, 'json.example.com/Cart');
INSERT INTO entity VALUES (1, 'cart', 'user-1', 1, 3, 9, 1600000000000000000, 1600000002000000000),
  (2, 'cart', 'user-2', 1, 1, 3, 1600000003000000000, 1600000003000000000);
INSERT INTO cause VALUES (1, 'trace-1', 1, 2, 3, x'0a01'), (2, 'trace-2', 1, 2, 3, x''), (3, 'trace-3', 1, 2, 3, x'00');
INSERT INTO event (position, entity, sequence, service, time, cause, type_url, payload) VALUES
  (1, 1, 1, 1, 1600000000000000000, 1, 4, x'0a0131'),
  (2, 1, 2, 1, 1600000000000000000, 1, 4, x'0a0132'),
  (3, 1, 3, 1, 1600000002000000000, 2, 4, x'0a0133'),
  (4, 2, 1, 1, 1600000003123456789, 3, 4, x'0a0134');
INSERT INTO snapshot VALUES (1, 1, 2, 1600000000000000000, 1, 5, x'7b7d');
