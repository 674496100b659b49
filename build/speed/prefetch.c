/* Run mode: what every start reads of the snapshot is asked for at once, so that the waits for memory overlap.
 *
 * A start is short, and little of what it reads is in a cache: else it would wait a thousand times, one after the other.
 */
#include "snapshot.h"

enum {
    PAGE = 4096,
    WINDOW = 16, /* pages that the kernel maps around one that is read */
};

extern const char pyinit_hot[]; /* snapshot.ld */

/* For each page from there on a mask, a bit for each line. build/freezing/lines.py fills them in, and has told the
 * compiler their number, PAGES, and the bytes of a LINE; in a stage they ask for nothing. */
__attribute__((section(".rodata.pyinit_lines"))) const volatile uint64_t pyinit_lines[PAGES] = {0};

static bool is_wanted(int window)
{
    uint64_t any = 0;
    for (int page = window; page < window + WINDOW; page++) {
        any |= pyinit_lines[page];
    }
    return any != 0;
}

void pyinit_prefetch(void)
{
    for (int window = 0; window < PAGES; window += WINDOW) {
        if (!is_wanted(window)) {
            continue;
        }
        /* What is not mapped cannot be asked for. The last page: the first has been written, and was mapped alone. */
        (void)*(const volatile char *)(pyinit_hot + (window + WINDOW - 1) * PAGE);
        for (int page = window; page < window + WINDOW; page++) {
            for (uint64_t lines = pyinit_lines[page]; lines != 0; lines &= lines - 1) {
                __builtin_prefetch(pyinit_hot + page * PAGE + __builtin_ctzl(lines) * LINE);
            }
        }
    }
}
