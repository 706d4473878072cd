// Which shard an id belongs to: as an independent implementation has it.
#include "sharding/shard_of.hpp"

#include "catch2.hpp"

#include <array>
#include <fstream>
#include <string>

using namespace companion;

namespace {

std::array<unsigned char, 16> to_bytes(std::string id)
{
    std::erase(id, '-');
    REQUIRE(id.size() == 32);
    std::array<unsigned char, 16> bytes;
    for (std::size_t index = 0; index < bytes.size(); index++)
        bytes[index] = static_cast<unsigned char>(std::stoi(id.substr(2 * index, 2), nullptr, 16));
    return bytes;
}

} // namespace

TEST_CASE("a thousand ids are in the shards that another implementation finds")
{
    std::ifstream file(TEST_DATA "/shard_of.tsv");
    std::string header, id;
    int shards, shard, cases = 0;
    std::getline(file, header);
    while (file >> id >> shards >> shard) {
        CAPTURE(id, shards);
        CHECK(shard_of(to_bytes(id).data(), shards) == shard);
        cases++;
    }
    CHECK(cases == 1000);
}
