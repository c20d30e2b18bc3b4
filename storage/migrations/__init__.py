"""The database's history: alembic migrations, and the short way for a new one."""
