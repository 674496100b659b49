/* What python-prctl asks of libcap, no more: see capabilities.c. */
#ifndef PYINIT_CAPABILITY_H
#define PYINIT_CAPABILITY_H

#include <linux/capability.h>

typedef struct capability_state *cap_t;
typedef int cap_value_t;
typedef enum { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE } cap_flag_t;
typedef enum { CAP_CLEAR, CAP_SET } cap_flag_value_t;

cap_t cap_get_proc(void);
int cap_set_proc(cap_t state);
int cap_free(void *state);
int cap_get_flag(cap_t state, cap_value_t capability, cap_flag_t flag, cap_flag_value_t *value);
int cap_set_flag(cap_t state, cap_flag_t flag, int count, const cap_value_t *capabilities, cap_flag_value_t value);

#endif
