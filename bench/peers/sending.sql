-- Mark occasions as being sent, and say which: the others are another worker's; :given is a table of id
UPDATE occasions AS o SET status = 'sending', attempts = attempts + 1
FROM :given AS g (id)
WHERE o.id = g.id AND o.status = 'pending'
RETURNING o.id
