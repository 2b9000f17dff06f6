// SPDX-License-Identifier: GPL-2.0
/*
 * The floor: what an array for each CPU costs if nothing protects it, neither
 * from being preempted nor from interrupts.  Nobody could use it; nobody with
 * arrays can be faster.
 *
 * In a file of its own, so that its functions are called, as everybody's are.
 */
#include <linux/percpu.h>

#include "bench.h"

#define FLOOR_LIMIT	1024	/* enough for the longest burst */

struct floor {
	unsigned int avail;
	void *entry[FLOOR_LIMIT];
};

/* Its objects are places in the array: nobody looks at what is in them. */
struct floor __percpu *floor_create(void)
{
	struct floor __percpu *floor = alloc_percpu(struct floor);
	int cpu;

	if (!floor)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct floor *f = per_cpu_ptr(floor, cpu);

		for (f->avail = 0; f->avail < FLOOR_LIMIT; f->avail++)
			f->entry[f->avail] = &f->entry[f->avail];
	}
	return floor;
}

void floor_destroy(struct floor __percpu *floor)
{
	free_percpu(floor);
}

void *floor_alloc(struct floor __percpu *floor)
{
	struct floor *f = raw_cpu_ptr(floor);

	if (unlikely(!f->avail))
		return NULL;
	return f->entry[--f->avail];
}

void floor_free(struct floor __percpu *floor, void *obj)
{
	struct floor *f = raw_cpu_ptr(floor);

	if (unlikely(f->avail >= FLOOR_LIMIT))
		return;
	f->entry[f->avail++] = obj;
}
