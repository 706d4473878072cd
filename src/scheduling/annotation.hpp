// What an app notes of a message that it schedules.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

struct Annotation {
    NullableDatum priority_level; // smallint
    NullableDatum topic_key;      // text
    NullableDatum metadata;       // jsonb
};

// Three arguments, each of which may be null. Error 22023 for a priority_level that is no smallint,
// a topic_key that has not 1 to 200 characters, and metadata that is no object or too large.
inline Annotation read_annotation(const Arguments &arguments, int first)
{
    Annotation annotation{arguments.nullable(first), arguments.nullable(first + 1),
                          arguments.nullable(first + 2)};
    if (!annotation.priority_level.isnull)
        annotation.priority_level.value = Int16GetDatum(static_cast<int16>(
            arguments.integer(first, "priority_level", PG_INT16_MIN, PG_INT16_MAX)));
    if (!annotation.topic_key.isnull)
        check_length("topic_key", text_view(annotation.topic_key.value), 200);
    if (!annotation.metadata.isnull) {
        Jsonb *metadata = DatumGetJsonbP(annotation.metadata.value);
        check_object("metadata", metadata);
        check_json_size("metadata", metadata);
    }
    return annotation;
}

} // namespace companion
