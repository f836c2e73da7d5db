-- What a run followed, and what it reversed.
ALTER TABLE runs ADD COLUMN policy TEXT;
ALTER TABLE runs ADD COLUMN undoes INTEGER;
