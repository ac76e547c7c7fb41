-- Names in capitals are the developer's or reserved for him; the house's own hold a slash, which his may not.
create table system.secrets (
  id               uuid primary key default gen_random_uuid(),
  key              text not null unique,
  value_ciphertext text not null,
  is_active        boolean not null default true,
  is_reserved      boolean not null default false,
  last_used_at     timestamptz,
  expires_at       timestamptz,
  created_at       timestamptz not null,
  updated_at       timestamptz not null
);

-- Which key the ciphertexts need; one row, until a change of keys is under way.
create table system.encryption_keys (
  fingerprint text primary key,
  in_use      boolean unique,
  created_at  timestamptz not null
);
