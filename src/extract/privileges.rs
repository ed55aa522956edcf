//! What the role may do at the source beyond reading. READ ONLY is no wall for a superuser, who writes files and runs programs even
//! there; the wall is a role that lacks the right.

use postgres::{SimpleQueryMessage, Transaction};

/// The rights, in words and the gravest first, that a role lacks which may only read tables. Counted are those of every role it can
/// become by SET ROLE. What a superuser may is not told one by one. Everybody may change `pg_settings`, which changes a session alone.
///
/// <https://www.postgresql.org/docs/current/predefined-roles.html>,
/// <https://www.postgresql.org/docs/current/ddl-priv.html>
const EXCESS: &str = "
with session as (
    select rolsuper from pg_catalog.pg_roles where rolname = session_user
), me as (
    select r.* from pg_catalog.pg_roles r, session
    where r.rolname = session_user or (not session.rolsuper and pg_catalog.pg_has_role(session_user, r.oid, 'MEMBER'))
), plain as (
    select oid, rolname from me where not exists (select from me where rolsuper)
), found (grade, one, name) as (
    select 1, 'SUPERUSER', null::text from me where rolsuper
    union all select 2, 'BYPASSRLS', null from me where rolbypassrls and not rolsuper
    union all select 3, 'CREATEROLE', null from me where rolcreaterole and not rolsuper
    union all select 4, 'CREATEDB', null from me where rolcreatedb and not rolsuper
    union all select 5, 'REPLICATION', null from me where rolreplication and not rolsuper
    union all select 6, 'membership in ' || rolname, null from plain where rolname in (
        'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_read_all_data', 'pg_write_all_data',
        'pg_maintain', 'pg_signal_backend', 'pg_create_subscription')
    union all select 7, 'CREATE on database ' || d.datname, null from pg_catalog.pg_database d
    where d.datname = pg_catalog.current_database()
      and exists (select from plain where pg_catalog.has_database_privilege(plain.oid, d.oid, 'CREATE'))
    union all select 8, 'CREATE on schema ', n.nspname::text from pg_catalog.pg_namespace n
    where n.nspname !~ '^pg_(toast_)?temp_'
      and exists (select from plain where pg_catalog.has_schema_privilege(plain.oid, n.oid, 'CREATE'))
    union all select 8 + p.grade, p.one || ' on ', n.nspname || '.' || c.relname
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace,
        (values (1, 'INSERT'), (2, 'UPDATE'), (3, 'DELETE'), (4, 'TRUNCATE')) as p (grade, one)
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_(toast_)?temp_'
      and c.oid <> 'pg_catalog.pg_settings'::pg_catalog.regclass
      and exists (select from plain where case
          when p.one in ('INSERT', 'UPDATE') then pg_catalog.has_any_column_privilege(plain.oid, c.oid, p.one)
          else pg_catalog.has_table_privilege(plain.oid, c.oid, p.one) end)
)
select one || coalesce(min(name), '') || case when count(name) > 1 then ' and ' || count(name) - 1 || ' more' else '' end
from found group by grade, one order by grade, one";

/// The rights beyond reading that the role of the session has; none for a role as it should be.
pub(super) fn excess(transaction: &mut Transaction<'_>) -> Result<Vec<String>, postgres::Error> {
    let mut attempt = transaction.savepoint("rights")?;
    let messages = attempt.simple_query(EXCESS);
    attempt.rollback()?;
    let messages = messages?;
    let rights = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(rights.collect())
}
