-- Who may connect to which database (docs/adr/0026): nobody but its own two roles. Safe to repeat.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE ALL ON DATABASE customer FROM PUBLIC;
GRANT CONNECT ON DATABASE customer TO customer;
REVOKE ALL ON DATABASE cases FROM PUBLIC;
GRANT CONNECT ON DATABASE cases TO cases;
REVOKE ALL ON DATABASE loyalty FROM PUBLIC;
GRANT CONNECT ON DATABASE loyalty TO loyalty;
REVOKE ALL ON DATABASE notifications FROM PUBLIC;
GRANT CONNECT ON DATABASE notifications TO notifications;
REVOKE ALL ON DATABASE desk FROM PUBLIC;
GRANT CONNECT ON DATABASE desk TO desk;
