/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path of the slab allocator: a pop from, or a push to, this CPU's
 * array.  Here, to be inlined where every instruction counts: into
 * mpslab_cache_alloc() and mpslab_cache_free(), and into the pool's twins of
 * them.  The theory is at the top of slab_cache.c.
 */
#ifndef MPSLAB_FAST_PATH_H
#define MPSLAB_FAST_PATH_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "mempool_internal.h"

/*
 * Close the gate of this CPU's arrays.  What it was says who we are: not 0, and
 * the arrays are ours until it is opened with that; 0, and we have interrupted
 * somebody who is in them, must not touch them, and leave it at 0.
 *
 * Who may run at the same time: on this CPU, an interrupt or NMI at any
 * instruction, which leaves the gate as it found it; on others nobody, they
 * have gates of their own.  So read and write need not be one step.  barrier()
 * here and in cpu_cache_open() keeps the compiler from moving accesses to the
 * arrays out of the section, where an interrupt that finds the gate open would
 * see them half done; the CPU sees its own stores in order.
 *
 * Preemption is off.  That is also what synchronize_rcu() in cpu_cache_replace()
 * waits for, so the arrays that we found stay in place until it is on again.
 */
static __always_inline unsigned int cpu_cache_close(struct cpu_cache *cc)
{
	unsigned int gate = READ_ONCE(cc->gate);

	WRITE_ONCE(cc->gate, 0);
	barrier();
	return gate;
}

static __always_inline void cpu_cache_open(struct cpu_cache *cc,
					   unsigned int gate)
{
	barrier();
	WRITE_ONCE(cc->gate, gate);
}

/*
 * The newest object of this CPU's array; false if it is empty or not ours: as the
 * gate is the limit or 0, one comparison says both.
 *
 * @pool, if not NULL, counts it, too.  In a local_t, as the gate is not enough:
 * while cpu_cache_replace() waits, a CPU may be behind that of its old arrays, be
 * interrupted, and find that of its new ones open.
 */
static __always_inline bool cpu_cache_pop(struct mpslab_cache *cache,
					  void **obj,
					  const struct mpslab_pool *pool)
{
	struct cpu_cache *cc;
	unsigned int gate;

	preempt_disable();
	cc = this_cpu_ptr(READ_ONCE(cache->cpu));
	gate = cpu_cache_close(cc);
	if (unlikely(!ac_pop(&cc->ac, gate, obj))) {
		cpu_cache_open(cc, gate);
		preempt_enable();
		return false;
	}
	cc->stat.allocs++;
	if (pool)
		local_inc(&this_cpu_ptr(pool->stat)->pops);
	cpu_cache_open(cc, gate);
	preempt_enable();
	return true;
}

/*
 * Is a free of @obj a mere push?  Not that of NULL, nor of any object where a free
 * has more to do: one comparison says both.
 */
static __always_inline bool may_push(const struct mpslab_cache *cache,
				     const void *obj)
{
	/* cache_set_work() may change it; who comes early sees the old value. */
	return (unsigned long)obj > data_race(cache->push_above);
}

/*
 * Make @obj the newest of this CPU's array; false if it is full or not ours, or if
 * @obj is the newest already: freed twice in a row.
 */
static __always_inline bool cpu_cache_push(struct mpslab_cache *cache,
					   void *obj,
					   const struct mpslab_pool *pool)
{
	struct cpu_cache *cc;
	unsigned int gate;

	preempt_disable();
	cc = this_cpu_ptr(READ_ONCE(cache->cpu));
	gate = cpu_cache_close(cc);
	if (unlikely(!ac_push(&cc->ac, gate, obj))) {
		cpu_cache_open(cc, gate);
		preempt_enable();
		return false;
	}
	cc->stat.frees++;
	if (pool)
		local_inc(&this_cpu_ptr(pool->stat)->pushes);
	cpu_cache_open(cc, gate);
	preempt_enable();
	return true;
}

#endif /* MPSLAB_FAST_PATH_H */
