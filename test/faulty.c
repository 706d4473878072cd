/* Faults made on purpose, with which script/sanitize tries that they are seen. */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(faulty);

/* Called with 1: reads what was freed, adds past what an int holds, reads past an array. */
Datum faulty(PG_FUNCTION_ARGS)
{
    static int numbers[4];
    int *freed = palloc0(sizeof(int));
    pfree(freed);
    if (*(volatile int *)freed != 0)
        numbers[0] = PG_INT32_MAX + PG_GETARG_INT32(0);
    return Int32GetDatum(numbers[3 + PG_GETARG_INT32(0)]);
}
