// Functions whose bodies throw: what the client tests load into the server to try the entry gate.
#include "postgres/entry.hpp"

#include <stdexcept>
#include <string>

extern "C" {
PG_MODULE_MAGIC;
}

// These functions belong to no version of the extension
namespace companion {
bool version_is_checked = true;
void check_version() {}
} // namespace companion

COMPANION_FUNCTION(throw_bad_alloc)
{
    throw std::bad_alloc();
}

COMPANION_FUNCTION(throw_exception)
{
    throw std::runtime_error(std::string(1000, 'x'));
}

COMPANION_FUNCTION(throw_number)
{
    throw 42;
}
