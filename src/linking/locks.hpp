// Locks of what has no row of its own to lock.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// Advisory locks, apart from those of SQL's pg_advisory_lock, whose class is 1 or 2.
enum class LinkingLock : uint16 {
    telegram_account = 0x7467,
    tokens_of_user,
};

// Hold a lock, exclusively, until the transaction ends.
inline void acquire(LinkingLock lock, uint64 key)
{
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(key >> 32),
                         static_cast<uint32>(key), static_cast<uint16>(lock));
    LockAcquire(&tag, ExclusiveLock, false, false);
}

} // namespace companion
