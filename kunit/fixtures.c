// SPDX-License-Identifier: GPL-2.0
/*
 * Fixtures of the KUnit suites, see fixtures.h.
 */
#include <kunit/resource.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/hash.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/kasan.h>
#include <linux/kmsan-checks.h>
#include <linux/kmsg_dump.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "fixtures.h"

static ulong seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "seed of the random sequences, to repeat a run; 0: random");

static uint scale = 1;
module_param(scale, uint, 0444);
MODULE_PARM_DESC(scale, "multiplies what the long cases do");

/* -------------------------------------------------------------- stamps -- */

/*
 * The first fault is the interesting one, the others usually follow from it.
 * Written from any context, read when all threads have ended.
 */
static struct {
	atomic_t faults;
	const char *what;
	void *obj;
	unsigned long found;
	unsigned long expected;
} stamp_log;

static bool stamp_fault(const char *what, void *obj, unsigned long found,
			unsigned long expected)
{
	if (atomic_inc_return(&stamp_log.faults) == 1) {
		stamp_log.what = what;
		stamp_log.obj = obj;
		stamp_log.found = found;
		stamp_log.expected = expected;
	}
	return false;
}

static unsigned long stamp_check(const void *obj, unsigned long owner)
{
	return owner ^ (unsigned long)obj ^ (STAMP_FREE << 16);
}

static u8 stamp_filler(unsigned long owner)
{
	return hash_long(owner, 8);
}

static bool stamp_matches(void *obj, unsigned int size, unsigned long owner)
{
	struct stamp *stamp = obj;
	u8 *odd;

	if (stamp->check != stamp_check(obj, owner))
		return stamp_fault("check word", obj, stamp->check,
				   stamp_check(obj, owner));
	odd = memchr_inv(stamp + 1, stamp_filler(owner), size - sizeof(*stamp));
	if (odd)
		return stamp_fault("filler", odd, *odd, stamp_filler(owner));
	return true;
}

static void stamp_write(void *obj, unsigned int size, unsigned long owner)
{
	struct stamp *stamp = obj;

	stamp->check = stamp_check(obj, owner);
	memset(stamp + 1, stamp_filler(owner), size - sizeof(*stamp));
}

/* Make @obj of @size bytes, at least a struct stamp, a free object. */
void stamp_init(void *obj, unsigned int size)
{
	struct stamp *stamp = obj;

	WRITE_ONCE(stamp->owner, STAMP_FREE);
	stamp_write(obj, size, STAMP_FREE);
}

/* Become the owner; false and a fault if @obj was not free and untouched. */
bool stamp_take(void *obj, unsigned int size, unsigned long owner)
{
	struct stamp *stamp = obj;
	unsigned long old = xchg(&stamp->owner, owner);
	bool ok;

	if (old != STAMP_FREE)
		return stamp_fault("taken while not free", obj, old,
				   STAMP_FREE);
	ok = stamp_matches(obj, size, STAMP_FREE);
	stamp_write(obj, size, owner);
	return ok;
}

/* Is @owner still the only one who wrote to @obj? */
bool stamp_intact(void *obj, unsigned int size, unsigned long owner)
{
	struct stamp *stamp = obj;
	unsigned long found = READ_ONCE(stamp->owner);

	if (found != owner)
		return stamp_fault("owner changed", obj, found, owner);
	return stamp_matches(obj, size, owner);
}

/* Stop being the owner, just before @obj is freed. */
bool stamp_give(void *obj, unsigned int size, unsigned long owner)
{
	struct stamp *stamp = obj;
	bool ok = stamp_intact(obj, size, owner);
	unsigned long old;

	stamp_write(obj, size, STAMP_FREE);
	old = xchg(&stamp->owner, STAMP_FREE);
	if (old != owner)
		return stamp_fault("owner changed while giving", obj, old,
				   owner);
	return ok;
}

void stamps_reset(void)
{
	atomic_set(&stamp_log.faults, 0);
}

/* Fails the case if any stamp was wrong since the last reset. */
void expect_stamps(struct kunit *test)
{
	int faults = atomic_read(&stamp_log.faults);

	KUNIT_EXPECT_EQ_MSG(test, faults, 0,
			    "first: %s at %p: found %lx, expected %lx",
			    stamp_log.what, stamp_log.obj, stamp_log.found,
			    stamp_log.expected);
	stamps_reset();
}

/* -------------------------------------------------------- random numbers -- */

/* The seed of this run, printed with every case that asks for it. */
u64 fixture_seed(struct kunit *test)
{
	if (!seed)
		seed = get_random_long() | 1;
	kunit_info(test, "random sequence: seed=%lu\n", seed);
	return seed;
}

/* A random number from 0 to @bound - 1. */
u32 random_below(struct rnd_state *rnd, u32 bound)
{
	return ((u64)prandom_u32_state(rnd) * bound) >> 32;
}

unsigned int scaled(unsigned int amount)
{
	return amount * max(scale, 1U);
}

/* ---------------------------------------------------------------- caches -- */

static void stamped_ctor(void *obj)
{
	stamp_init(obj, STAMPED_SIZE);
}

static int cache_resource_init(struct kunit_resource *res, void *cache)
{
	res->data = cache;
	return 0;
}

static void cache_resource_free(struct kunit_resource *res)
{
	mpslab_cache_destroy(res->data);
}

static bool cache_resource_match(struct kunit *test, struct kunit_resource *res,
				 void *cache)
{
	return res->free == cache_resource_free && res->data == cache;
}

/* A cache that is destroyed at the end of the case if it still exists. */
struct mpslab_cache *test_cache_ctor(struct kunit *test, unsigned int size,
				     slab_flags_t flags,
				     void (*ctor)(void *obj))
{
	static atomic_t serial;
	struct mpslab_cache *cache;
	char name[24];

	snprintf(name, sizeof(name), "kunit-%d", atomic_inc_return(&serial));
	cache = mpslab_cache_create(name, size, 0, flags, ctor);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	if (!kunit_alloc_resource(test, cache_resource_init,
				  cache_resource_free, GFP_KERNEL, cache)) {
		mpslab_cache_destroy(cache);
		KUNIT_ASSERT_TRUE_MSG(test, false, "no memory for a resource");
	}
	return cache;
}

struct mpslab_cache *test_cache(struct kunit *test, unsigned int size,
				slab_flags_t flags)
{
	return test_cache_ctor(test, size, flags, NULL);
}

/* A cache whose objects are born with the stamp STAMP_FREE. */
struct mpslab_cache *test_cache_stamped(struct kunit *test)
{
	stamps_reset();
	return test_cache_ctor(test, STAMPED_SIZE, 0, stamped_ctor);
}

/*
 * Hide the cache from the periodic reaper, so that its arrays and lists change
 * by what the case does alone.  The case is pinned to its CPU, too.
 */
void keep_quiet(struct kunit *test, struct mpslab_cache *cache)
{
	pin_to_this_cpu(test);
	mutex_lock(&mpslab_mutex);
	list_del_init(&cache->list);
	mutex_unlock(&mpslab_mutex);
}

/* test_cache_stamped(), which keep_quiet() has been told of. */
struct mpslab_cache *test_cache_quiet(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);

	keep_quiet(test, cache);
	return cache;
}

/* One whose objects are looked at, with DEBUG_* as given; quiet, too. */
struct mpslab_cache *test_cache_debugged(struct kunit *test, u8 options)
{
	struct mpslab_cache *cache = test_cache(test, DEBUGGED_SIZE, 0);

	keep_quiet(test, cache);
	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, options, 1), 0);
	return cache;
}

/* test_cache_quiet() with small arrays, a shared one of @factor batches, no free limit. */
struct mpslab_cache *test_cache_small(struct kunit *test, unsigned int factor)
{
	struct mpslab_cache *cache = test_cache_quiet(test);

	KUNIT_ASSERT_EQ(test, cache_tune(cache, SMALL_LIMIT, SMALL_BATCH,
					 factor), 0);
	home(cache)->free_limit = ULONG_MAX;
	return cache;
}

/*
 * Bring @cache to this: one slab partial, one free, nothing in arrays.  Returns
 * the object of the partial slab that is in use.
 */
void *test_cache_hold_one(struct kunit *test, struct mpslab_cache *cache)
{
	unsigned int nr = 2 * cache->best.objects;
	void **objs = test_pointers(test, nr);
	struct cache_node *n = home(cache);

	n->free_limit = ULONG_MAX;
	take_objects(test, cache, objs, nr);
	give_objects(cache, objs + 1, nr - 1);
	cpu_cache_drain_local(cache);
	drain_shared(cache, ULONG_MAX);
	KUNIT_ASSERT_EQ(test, n->nr_partial, 1UL);
	KUNIT_ASSERT_EQ(test, n->nr_free, 1UL);
	n->touched = false;
	return objs[0];
}

/* node_drain_shared() of home(), as its contract wants it called. */
unsigned long drain_shared(struct mpslab_cache *cache, unsigned long max)
{
	unsigned long nr;

	mutex_lock(&mpslab_mutex);
	nr = node_drain_shared(cache, home(cache), max);
	mutex_unlock(&mpslab_mutex);
	return nr;
}

/* What only a test may look at, or change: KASAN and KMSAN let it pass. */
bool free_memory_is(void *obj, u8 byte, size_t bytes)
{
	bool is;

	kasan_disable_current();
	kmsan_unpoison_memory(obj, bytes);
	is = !memchr_inv(obj, byte, bytes);
	kasan_enable_current();
	return is;
}

void free_memory_set(void *obj, u8 byte, size_t bytes)
{
	kasan_disable_current();
	memset(obj, byte, bytes);
	kasan_enable_current();
}

void **test_pointers(struct kunit *test, unsigned int nr)
{
	void **objs = kunit_kcalloc(test, nr, sizeof(*objs), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, objs);
	return objs;
}

void take_objects(struct kunit *test, struct mpslab_cache *cache, void **objs,
		  unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		objs[i] = mpslab_cache_alloc(cache, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
	}
}

void give_objects(struct mpslab_cache *cache, void **objs, unsigned int nr)
{
	while (nr--)
		mpslab_cache_free(cache, *objs++);
}

/*
 * Destroy a cache of test_cache() that should have no object in use and should
 * have reported @errors mistakes.
 */
void test_cache_end(struct kunit *test, struct mpslab_cache *cache,
		    long errors)
{
	expect_balanced(test, cache, 0);
	expect_lists(test, cache);
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), errors);
	KUNIT_EXPECT_EQ(test, 0,
			kunit_destroy_resource(test, cache_resource_match,
					       cache));
	KUNIT_EXPECT_FALSE(test, cache_is_listed(cache));
}

/* @cache is only compared, so it may have been destroyed. */
bool cache_is_listed(struct mpslab_cache *cache)
{
	struct mpslab_cache *pos;
	bool listed = false;

	mutex_lock(&mpslab_mutex);
	list_for_each_entry(pos, &mpslab_caches, list)
		listed |= pos == cache;
	mutex_unlock(&mpslab_mutex);
	return listed;
}

unsigned int caches_listed(void)
{
	struct mpslab_cache *pos;
	unsigned int nr = 0;

	mutex_lock(&mpslab_mutex);
	list_for_each_entry(pos, &mpslab_caches, list)
		nr++;
	mutex_unlock(&mpslab_mutex);
	return nr;
}

/*
 * Every object of @cache is somewhere, and @in_use of them are with clients.
 * The sum is taken with all CPUs stopped, so it is right during a storm too.
 */
void expect_balanced(struct kunit *test, struct mpslab_cache *cache,
		     unsigned long in_use)
{
	struct cache_balance b;

	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ_MSG(test, b.off, 0L,
			    "objects %lu, in use %lu, cpu %lu, alien %lu, shared %lu, free %lu",
			    b.objects, b.in_use, b.cpu, b.alien, b.shared,
			    b.free);
	KUNIT_EXPECT_EQ(test, b.in_use, in_use);
}

enum slab_list { PARTIAL, FULL, FREE };

static bool slab_is_right(struct mpslab_cache *cache, int nid,
			  struct mpslab_slab *slab, enum slab_list list)
{
	unsigned int free = bitmap_weight(slab->free, slab->objects);
	enum slab_list right = PARTIAL;

	if (free == slab->objects)
		right = FREE;
	else if (!free || slab->where & SLAB_STALE)
		right = FULL;
	return list == right && slab->inuse == slab->objects - free &&
	       slab->cache == cache && page_to_nid(slab->page) == nid &&
	       page_private(slab->page) == (unsigned long)slab;
}

static unsigned long sum_list(struct mpslab_cache *cache, int nid,
			      struct list_head *head, enum slab_list list,
			      struct node_sums *sums)
{
	struct mpslab_slab *slab;
	unsigned long nr = 0;
	struct page *page;

	list_for_each_entry(page, head, lru) {
		slab = slab_listed(page);
		nr++;
		sums->objects += slab->objects;
		sums->free_objects += bitmap_weight(slab->free, slab->objects);
		sums->wrong += !slab_is_right(cache, nid, slab, list);
	}
	return nr;
}

/* Count what the lists of @n hold, and copy what @n says about them. */
static void sum_node(struct mpslab_cache *cache, int nid, struct cache_node *n,
		     struct node_sums *counted, struct node_sums *said)
{
	unsigned long irq;

	memset(counted, 0, sizeof(*counted));
	raw_spin_lock_irqsave(&n->list_lock, irq);
	counted->nr_partial = sum_list(cache, nid, &n->partial, PARTIAL,
				       counted);
	counted->nr_full = sum_list(cache, nid, &n->full, FULL, counted);
	counted->nr_free = sum_list(cache, nid, &n->free, FREE, counted);
	*said = (struct node_sums){
		.nr_partial = n->nr_partial,
		.nr_full = n->nr_full,
		.nr_free = n->nr_free,
		.objects = n->objects,
		.free_objects = n->free_objects,
	};
	raw_spin_unlock_irqrestore(&n->list_lock, irq);
}

/* What every node says about its lists is what they hold. */
void expect_lists(struct kunit *test, struct mpslab_cache *cache)
{
	struct node_sums counted, said;
	struct cache_node *n;
	int nid;

	for_each_cache_node(cache, nid, n) {
		sum_node(cache, nid, n, &counted, &said);
		KUNIT_EXPECT_EQ(test, said.nr_partial, counted.nr_partial);
		KUNIT_EXPECT_EQ(test, said.nr_full, counted.nr_full);
		KUNIT_EXPECT_EQ(test, said.nr_free, counted.nr_free);
		KUNIT_EXPECT_EQ(test, said.objects, counted.objects);
		KUNIT_EXPECT_EQ(test, said.free_objects, counted.free_objects);
		KUNIT_EXPECT_EQ(test, counted.wrong, 0UL);
	}
}

/* How many lines of the kernel's log have @text in them. */
unsigned int log_lines(const char *text)
{
	struct kmsg_dump_iter iter;
	unsigned int nr = 0;
	char line[256];
	size_t len;

	kmsg_dump_rewind(&iter);
	while (kmsg_dump_get_line(&iter, false, line, sizeof(line) - 1, &len)) {
		line[len] = '\0';
		nr += !!strstr(line, text);
	}
	return nr;
}

long free_pages_now(void)
{
	int nid, i, cpu;
	long pages = 0;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			if (!populated_zone(zone))
				continue;
			/* With what each CPU has not added to the sum yet. */
			pages += zone_page_state_snapshot(zone, NR_FREE_PAGES);
			for_each_online_cpu(cpu)
				pages += per_cpu_ptr(zone->per_cpu_pageset,
						     cpu)->count;
		}
	}
	return pages;
}

/* --------------------------------------------------------------- threads -- */

/* A crew that has not ended after this is stuck. */
#define CREW_LIMIT	(60 * HZ)
/* These take place however late it is, or nothing would have been tried. */
#define FIRST_MEETINGS	2

/**
 * struct crew - threads that run at once
 * @nr: members
 * @end: when crew_going() becomes false, jiffies
 * @stop: the members should end, something is wrong
 * @ready: members that have started
 * @go: completed when all are ready
 * @left: members whose function has returned
 * @waiting: members that wait in crew_meet()
 * @meeting: number of the meeting that they wait for
 * @member: the members
 */
struct crew {
	unsigned int nr;
	unsigned long end;
	bool stop;
	atomic_t ready;
	struct completion go;
	atomic_t left;
	atomic_t waiting;
	atomic_t meeting;
	struct crew_member member[];
};

/*
 * Loops that wait for others must let them run: cond_resched() is nothing in a
 * preemptible kernel, and not each of those (UML) preempts in an interrupt.
 */
static void give_way(void)
{
	if (need_resched())
		schedule();
}

/* True until the time of the crew is over. */
bool crew_going(struct crew_member *me)
{
	give_way();
	return !READ_ONCE(me->crew->stop) &&
	       time_before(jiffies, me->crew->end);
}

/*
 * Wait, spinning, until all members have come here.  True for all of them as
 * long as crew_going(), and at first; then false for all of them.
 */
bool crew_meet(struct crew_member *me)
{
	struct crew *crew = me->crew;
	int meeting = atomic_read(&crew->meeting);

	if (atomic_inc_return(&crew->waiting) == crew->nr) {
		if (meeting >= FIRST_MEETINGS && !crew_going(me))
			WRITE_ONCE(crew->stop, true);
		atomic_set(&crew->waiting, 0);
		/* pairs with the acquire below: who sees it may meet again */
		atomic_inc_return_release(&crew->meeting);
		return !READ_ONCE(crew->stop);
	}
	while (atomic_read_acquire(&crew->meeting) == meeting) {
		if (READ_ONCE(crew->stop) || atomic_read(&crew->left))
			return false;
		give_way();
		cpu_relax();
	}
	return !READ_ONCE(crew->stop);
}

void crew_note(struct crew_member *me, bool ok, const char *what,
	       const char *file, int line)
{
	if (!ok && !me->fails++)
		pr_err("# crew member %u: EXPECTATION FAILED at %s:%d: %s\n",
		       me->index, file, line, what);
}

static int crew_thread(void *arg)
{
	struct crew_member *me = arg;

	atomic_inc(&me->crew->ready);
	wait_for_completion(&me->crew->go);
	if (!READ_ONCE(me->crew->stop))
		me->fn(me);
	atomic_inc(&me->crew->left);
	complete(&me->done);

	/* stay until kthread_stop(), so that no code of ours runs after it */
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int nth_online_cpu(unsigned int nth)
{
	int cpu;

	nth %= num_online_cpus();
	for_each_online_cpu(cpu)
		if (!nth--)
			return cpu;
	return 0;
}

static bool crew_hire(struct crew *crew, const struct crew_job *job, u64 base)
{
	struct crew_member *me = &crew->member[crew->nr];
	struct task_struct *task;

	me->index = crew->nr;
	me->cpu = nth_online_cpu(job->cpu);
	me->data = job->data;
	me->fn = job->fn;
	me->crew = crew;
	prandom_seed_state(&me->rnd, base + crew->nr);
	init_completion(&me->done);
	task = kthread_create(crew_thread, me, "mpslab_kunit/%u", crew->nr);
	if (IS_ERR(task))
		return false;
	kthread_bind(task, me->cpu);
	me->task = task;
	crew->nr++;
	wake_up_process(task);
	return true;
}

/* Returns false if a member is stuck; the crew must then be kept for it. */
static bool crew_join(struct kunit *test, struct crew *crew)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < crew->nr; i++) {
		struct crew_member *me = &crew->member[i];

		if (!wait_for_completion_timeout(&me->done, CREW_LIMIT)) {
			WRITE_ONCE(crew->stop, true);
			if (!wait_for_completion_timeout(&me->done, 2 * HZ)) {
				KUNIT_FAIL(test, "thread %u is stuck", i);
				all = false;
				continue;
			}
			KUNIT_FAIL(test, "thread %u did not end", i);
		}
		kthread_stop(me->task);
		KUNIT_EXPECT_EQ_MSG(test, me->fails, 0UL, "thread %u", i);
	}
	return all;
}

/**
 * crew_run() - run functions at once, each in a thread bound to a CPU
 * @test: the case
 * @jobs: what each thread does
 * @nr: number of threads
 * @ms: how long crew_going() is true, in milliseconds, before scaling
 *
 * Fails the case if a crew_expect() failed or a thread does not end.
 *
 * Return: the sum of crew_member.ops.
 */
unsigned long crew_run(struct kunit *test, const struct crew_job *jobs,
		       unsigned int nr, unsigned int ms)
{
	u64 base = fixture_seed(test);
	unsigned long ops = 0;
	struct crew *crew;
	unsigned int i;

	crew = kzalloc(struct_size(crew, member, nr), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, crew);
	init_completion(&crew->go);
	for (i = 0; i < nr; i++)
		if (!crew_hire(crew, &jobs[i], base))
			break;
	if (i < nr) {
		KUNIT_FAIL(test, "cannot start thread %u", i);
		crew->stop = true;
	}
	while (atomic_read(&crew->ready) < crew->nr)
		schedule_timeout_uninterruptible(1);
	crew->end = jiffies + msecs_to_jiffies(scaled(ms));
	complete_all(&crew->go);
	if (!crew_join(test, crew))
		return 0;
	for (i = 0; i < crew->nr; i++)
		ops += crew->member[i].ops;
	kfree(crew);
	return ops;
}

/* crew_run() with @fn once on every online CPU. */
unsigned long crew_run_all(struct kunit *test,
			   void (*fn)(struct crew_member *me), void *data,
			   unsigned int ms)
{
	unsigned int i, nr = num_online_cpus();
	struct crew_job *jobs;
	unsigned long ops;

	jobs = kcalloc(nr, sizeof(*jobs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, jobs);
	for (i = 0; i < nr; i++)
		jobs[i] = (struct crew_job){ .fn = fn, .data = data, .cpu = i };
	ops = crew_run(test, jobs, nr, ms);
	kfree(jobs);
	return ops;
}

void need_cpus(struct kunit *test, unsigned int nr)
{
	if (num_online_cpus() < nr)
		kunit_skip(test, "needs %u CPUs online", nr);
}

/* For the rest of the case; its thread ends with it. */
void pin_to_this_cpu(struct kunit *test)
{
	int cpu = raw_smp_processor_id();

	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(cpu)),
			0);
}

/* -------------------------------------------------------------- contexts -- */

struct softirq_call {
	struct tasklet_struct tasklet;
	void (*fn)(void *arg);
	void *arg;
	bool ran;
};

static void softirq_call_run(struct tasklet_struct *tasklet)
{
	struct softirq_call *call = container_of(tasklet, struct softirq_call,
						 tasklet);

	call->ran = in_serving_softirq();
	call->fn(call->arg);
}

/* Run @fn in a soft interrupt on this CPU and wait for it. */
void run_in_softirq(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	struct softirq_call call = { .fn = fn, .arg = arg };

	tasklet_setup(&call.tasklet, softirq_call_run);
	local_bh_disable();
	tasklet_schedule(&call.tasklet);
	local_bh_enable();
	tasklet_kill(&call.tasklet);
	KUNIT_EXPECT_TRUE(test, call.ran);
}

/* Skip the case where interrupts, and who they interrupt, are all threads. */
void need_hardirq(struct kunit *test)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "drivers' interrupts are threads on PREEMPT_RT");
}

struct hardirq_call {
	struct irq_work work;
	void (*fn)(void *arg);
	void *arg;
	bool ran;
};

static void hardirq_call_run(struct irq_work *work)
{
	struct hardirq_call *call = container_of(work, struct hardirq_call,
						 work);

	as_drivers_interrupt();
	call->ran = in_hardirq();
	call->fn(call->arg);
}

/* Run @fn in a hard interrupt on this CPU and wait for it. */
void run_in_hardirq(struct kunit *test, void (*fn)(void *arg), void *arg)
{
	struct hardirq_call call = {
		.work = IRQ_WORK_INIT_HARD(hardirq_call_run),
		.fn = fn,
		.arg = arg,
	};

	need_hardirq(test);
	irq_work_queue(&call.work);
	irq_work_sync(&call.work);
	KUNIT_EXPECT_TRUE(test, call.ran);
}

/* ---------------------------------------------------- failing allocations -- */

/* Have @plan do what the text says, from now on. */
void arm(struct kunit *test, struct fault_plan *plan, const char *fmt, ...)
{
	char text[FAULT_TEXT_LEN];
	va_list args;

	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	KUNIT_ASSERT_EQ(test, fault_plan_write(plan, text), 0);
}

/* No more of it.  Returns how many allocations it failed. */
unsigned long disarm(struct fault_plan *plan)
{
	struct fault_counts counts;
	char off[] = "off";

	fault_plan_write(plan, off);
	fault_plan_counts(plan, &counts);
	return counts.failed;
}

#ifdef CONFIG_FAULT_INJECTION

/* Let the @nth allocation of this task from now on fail; 0: none. */
void fail_nth(unsigned int nth)
{
	WRITE_ONCE(current->fail_nth, nth);
}

/* Stop failing.  True if the allocation that should fail was reached. */
bool fail_nth_end(void)
{
	bool reached = !READ_ONCE(current->fail_nth);

	fail_nth(0);
	return reached;
}

#else

void fail_nth(unsigned int nth)
{
}

bool fail_nth_end(void)
{
	return false;
}

#endif /* CONFIG_FAULT_INJECTION */

/*
 * Skip the case unless fail_nth() reaches the allocations that mpslab makes:
 * by default the kernel spares those that may sleep, and single pages.
 */
void need_fail_nth(struct kunit *test)
{
	struct page *page;
	void *obj;

	fail_nth(1);
	obj = kmalloc(64, GFP_KERNEL | __GFP_NOWARN);
	fail_nth_end();
	kfree(obj);
	if (obj)
		kunit_skip(test, "needs failslab without ignore-gfp-wait");

	fail_nth(1);
	page = alloc_page(GFP_KERNEL | __GFP_NOWARN);
	fail_nth_end();
	if (page) {
		__free_page(page);
		kunit_skip(test, "needs fail_page_alloc with min-order 0");
	}
}

MPSLAB_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_DESCRIPTION("KUnit suites of mpslab");
MODULE_LICENSE("GPL");
