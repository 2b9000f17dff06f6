/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share, so that a case can be thin: stamps that show who owns
 * an object, checks of a whole cache, threads that run at once, and failing
 * allocations.
 *
 * Nothing here knows which functions a suite tests.  A condition that the
 * kernel cannot provide (one CPU only, no fault injection) skips the case and
 * says so; a resource that cannot be had fails it.
 */
#ifndef MPSLAB_FIXTURES_H
#define MPSLAB_FIXTURES_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/irqflags.h>
#include <linux/prandom.h>
#include <linux/types.h>

#include "../internal.h"

/* Cases that take seconds say so where KUnit asks for it. */
#ifndef KUNIT_CASE_SLOW
#define KUNIT_CASE_SLOW	KUNIT_CASE
#endif

/* -------------------------------------------------------------- stamps -- */

/**
 * struct stamp - the start of every object that is tested for ownership
 * @owner: STAMP_FREE, or the number that the owner chose; exchanged atomically
 * @check: derived from @owner and the address of the object
 *
 * The rest of the object is filled with bytes that follow from @owner as well.
 * A free object carries the stamp STAMP_FREE, so memory that the allocator
 * writes to while it is free, two objects that overlap and an object that is
 * handed out twice all show, the last as soon as it happens.
 *
 * Only STAMP_FREE objects can be taken, so every object needs stamp_init()
 * when it is born: as the constructor of a cache, or by a pool's backend.
 */
struct stamp {
	unsigned long owner;
	unsigned long check;
};

#define STAMP_FREE	0x5afe5afeUL

/* A number that no other thread and no other allocation of @thread uses. */
static inline unsigned long stamp_owner(unsigned int thread, unsigned long seq)
{
	return ((unsigned long)(thread + 1) << (BITS_PER_LONG - 16)) ^ seq;
}

void stamp_init(void *obj, unsigned int size);
bool stamp_take(void *obj, unsigned int size, unsigned long owner);
bool stamp_intact(void *obj, unsigned int size, unsigned long owner);
bool stamp_give(void *obj, unsigned int size, unsigned long owner);
void stamps_reset(void);
void expect_stamps(struct kunit *test);

/* -------------------------------------------------------- random numbers -- */

u64 fixture_seed(struct kunit *test);
u32 random_below(struct rnd_state *rnd, u32 bound);

/* How much more than usual is asked for, see the parameter "scale". */
unsigned int scaled(unsigned int amount);

/* ---------------------------------------------------------------- caches -- */

struct mpslab_cache *test_cache(struct kunit *test, unsigned int size,
				slab_flags_t flags);
struct mpslab_cache *test_cache_ctor(struct kunit *test, unsigned int size,
				     slab_flags_t flags,
				     void (*ctor)(void *obj));
struct mpslab_cache *test_cache_stamped(struct kunit *test);
void keep_quiet(struct kunit *test, struct mpslab_cache *cache);
struct mpslab_cache *test_cache_quiet(struct kunit *test);
struct mpslab_cache *test_cache_debugged(struct kunit *test, u8 options);
struct mpslab_cache *test_cache_small(struct kunit *test, unsigned int factor);
void *test_cache_hold_one(struct kunit *test, struct mpslab_cache *cache);
unsigned long drain_shared(struct mpslab_cache *cache, unsigned long max);
void test_cache_end(struct kunit *test, struct mpslab_cache *cache,
		    long errors);
bool cache_is_listed(struct mpslab_cache *cache);
unsigned int caches_listed(void);

unsigned int log_lines(const char *text);

/* Free pages, those in the CPUs' hands too; the noise is what others do. */
long free_pages_now(void);

/* Size of the objects of test_cache_stamped() and those based on it. */
#define STAMPED_SIZE	80
/* Arrays of test_cache_small(): a few objects fill them. */
#define SMALL_LIMIT	8
#define SMALL_BATCH	4

/* Size of the objects of test_cache_debugged(), and all that can be looked at. */
#define DEBUGGED_SIZE	48
#define DEBUG_ALL	(DEBUG_CHECKS | DEBUG_RED_ZONE | DEBUG_POISON | DEBUG_USER)

static inline long errors_of(struct mpslab_cache *cache, enum cache_error error)
{
	return atomic_long_read(&cache->errors[error]);
}

static inline bool is_debugged(struct mpslab_cache *cache, void *obj)
{
	return obj_to_slab(cache, obj)->where & SLAB_DEBUGGED;
}

/* This CPU's arrays, and its node, for a case that is pinned. */
static inline struct cpu_cache *here(struct mpslab_cache *cache)
{
	return raw_cpu_ptr(cache->cpu);
}

static inline struct cache_node *home(struct mpslab_cache *cache)
{
	return cache->node[near_node()];
}

/* Arrays of pointers and objects; what cannot be had ends the case. */
void **test_pointers(struct kunit *test, unsigned int nr);
bool free_memory_is(void *obj, u8 byte, size_t bytes);
void free_memory_set(void *obj, u8 byte, size_t bytes);
void take_objects(struct kunit *test, struct mpslab_cache *cache, void **objs,
		  unsigned int nr);
void give_objects(struct mpslab_cache *cache, void **objs, unsigned int nr);

/**
 * struct node_sums - what the lists of one node hold, by counting
 * @nr_partial: slabs on the list of partial ones; the others likewise
 * @nr_full: full slabs
 * @nr_free: free slabs
 * @objects: objects in all of them
 * @free_objects: bits set in their free maps
 * @wrong: slabs on the wrong list, of the wrong node or cache, or whose count
 *	of objects in use is not what its map says
 */
struct node_sums {
	unsigned long nr_partial;
	unsigned long nr_full;
	unsigned long nr_free;
	unsigned long objects;
	unsigned long free_objects;
	unsigned long wrong;
};

void expect_balanced(struct kunit *test, struct mpslab_cache *cache,
		     unsigned long in_use);
void expect_lists(struct kunit *test, struct mpslab_cache *cache);

/* --------------------------------------------------------------- threads -- */

struct crew;

/**
 * struct crew_member - one of several threads that run at once
 * @index: its number, from 0
 * @cpu: the CPU that it is bound to
 * @rnd: its own random numbers, seeded from fixture_seed() and @index
 * @data: as given in struct crew_job
 * @ops: for the function to count what it did
 * @fails: failed crew_expect()
 * @crew: the others
 * @done: the function has returned
 * @task: its thread
 * @fn: its function
 */
struct crew_member {
	unsigned int index;
	int cpu;
	struct rnd_state rnd;
	void *data;
	unsigned long ops;
	unsigned long fails;
	struct crew *crew;
	struct completion done;
	struct task_struct *task;
	void (*fn)(struct crew_member *me);
};

/**
 * struct crew_job - what one member of a crew does
 * @fn: its function; it ends by itself, and soon after crew_going() says so
 * @data: for its use
 * @cpu: index of its CPU among those online, modulo their number
 */
struct crew_job {
	void (*fn)(struct crew_member *me);
	void *data;
	unsigned int cpu;
};

unsigned long crew_run(struct kunit *test, const struct crew_job *jobs,
		       unsigned int nr, unsigned int ms);
unsigned long crew_run_all(struct kunit *test,
			   void (*fn)(struct crew_member *me), void *data,
			   unsigned int ms);
bool crew_going(struct crew_member *me);
bool crew_meet(struct crew_member *me);
void crew_note(struct crew_member *me, bool ok, const char *what,
	       const char *file, int line);

/* KUNIT_EXPECT_TRUE() for members: cheap in a loop, printed once. */
#define crew_expect(me, cond) \
	crew_note((me), !!(cond), #cond, __FILE__, __LINE__)

void need_cpus(struct kunit *test, unsigned int nr);
void pin_to_this_cpu(struct kunit *test);

/* -------------------------------------------------------------- contexts -- */

/*
 * To be called in an interrupt handler that does what a driver's may: lockdep
 * then knows that PREEMPT_RT would make it a thread, which may take any lock.
 */
static inline void as_drivers_interrupt(void)
{
	lockdep_hardirq_threaded();
}

void need_hardirq(struct kunit *test);
void run_in_softirq(struct kunit *test, void (*fn)(void *arg), void *arg);
void run_in_hardirq(struct kunit *test, void (*fn)(void *arg), void *arg);

/* ------------------------------------------------------------------ tools -- */

/* KMSAN's: what clang calls for each load; exported, as it does so in modules, too. */
struct shadow_origin_ptr {
	void *shadow;
	void *origin;
};

struct shadow_origin_ptr __msan_metadata_ptr_for_load_1(void *addr);

/* ---------------------------------------------------- failing allocations -- */

/* By a fault plan, which works on any kernel: of what mpslab asks for. */
void __printf(3, 4) arm(struct kunit *test, struct fault_plan *plan,
			const char *fmt, ...);
unsigned long disarm(struct fault_plan *plan);

#define pages_plan(cache)	(&(cache)->faults.plan[FAULT_PAGES])
#define descriptors_plan(cache)	(&(cache)->faults.plan[FAULT_DESCRIPTORS])

/* By the kernel's fault injection: of whatever anybody asks for on the way. */
void need_fail_nth(struct kunit *test);
void fail_nth(unsigned int nth);
bool fail_nth_end(void);
/* Failing allocations that a case tries before it calls itself endless. */
#define MANY_FAILURES	300

#endif /* MPSLAB_FIXTURES_H */
