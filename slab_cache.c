// SPDX-License-Identifier: GPL-2.0
/*
 * The slab allocator: per-CPU arrays over per-node lists over page blocks.
 *
 * An object is in one of five states, and moves between them only as said here:
 *
 *	in use         the client owns it
 *	in an array    this CPU owns it, under cpu_cache.gate
 *	shared         in the node's shared array, under list_lock
 *	free           its bit is set in its slab, under list_lock
 *	unborn, dead   its slab is not (or no longer) on a node; whoever created
 *	               or detached the slab owns all of it
 *
 *	mpslab_cache_alloc()    array -> in use
 *	mpslab_cache_free()     in use -> array
 *	refill()                shared, free -> array
 *	flush()                 array -> shared, free
 *	slab_share_out()        unborn -> in use, array, free
 *	node_reap_free()        free -> dead, a whole slab at a time
 *
 * The gate.  A CPU's arrays are used with preemption off and their gate closed:
 * a word that holds the array's limit while they are open, and 0 while somebody
 * is in them.  Task, softirq and hardirq contexts of one CPU nest like brackets:
 * whoever interrupts a holder finds the gate closed, leaves the arrays alone and
 * goes to the node instead; whoever interrupts before it is closed or after it is
 * opened leaves it open behind him.  So read and close need not be one step, the
 * gate needs no atomic and no memory barrier (only one CPU looks), interrupts
 * stay on, and a task, which by definition has interrupted nobody, always finds
 * it open.  That it holds the limit saves a test: "avail >= gate" says that the
 * array is full or not ours, "avail - 1 >= gate" that it is empty or not ours.
 * An NMI is one bracket more: it may use the arrays if the gate is open, and must
 * not go to the node, whose lock its CPU may hold.
 *
 * Arrays are never touched by another CPU.  Draining runs on the owner; only a
 * dead CPU's arrays, and those that cpu_cache_replace() took away and every CPU
 * has let go of (an RCU grace period covers all preemption-off regions), are
 * emptied by somebody else.
 *
 * Every move between states is done with preemption off from end to end, so
 * that whoever stops all CPUs (cache_balance()) finds each object counted once.
 *
 * Metadata never lies in a free object.  A slab knows its free objects by a
 * bitmap, so a write after free cannot corrupt the allocator, a constructed
 * object stays constructed, and a double free is seen when the second copy comes
 * home, unless the object was handed out in between.  What is no object of the cache
 * is seen before it gets from one CPU's array to another's (sift_frees()).
 *
 * The arrays are Bonwick and Adams' magazines in the flat form that mm/slab.c
 * gave them; the bitmap is FreeBSD UMA's; the gate is a relative of the
 * kernel's local_trylock().
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "internal.h"
#include "fast_path.h"

/* -------------------------------------------------------- the per-CPU layer -- */

/* Enter this CPU's arrays with all that the slow paths do to them. */
static bool cpu_cache_enter(struct mpslab_cache *cache, struct cpu_cache **ccp)
{
	struct cpu_cache *cc;

	preempt_disable();
	cc = this_cpu_ptr(READ_ONCE(cache->cpu));
	if (unlikely(!cpu_cache_close(cc))) {
		preempt_enable();
		return false;
	}
	*ccp = cc;
	return true;
}

static void cpu_cache_exit(struct cpu_cache *cc)
{
	cpu_cache_open(cc, cc->ac.limit);
	preempt_enable();
}

static struct cache_node *local_node(struct mpslab_cache *cache)
{
	return cache->node[near_node()];
}

/* Fill the empty array of this CPU from the node's lists. */
static void refill(struct mpslab_cache *cache, struct cpu_cache *cc)
{
	struct cache_node *n = local_node(cache);
	struct array_cache *ac = &cc->ac;
	unsigned int want = ac->batchcount, got, max;
	bool swing = true;
	unsigned long flags;

	/* A cache that is hardly used on this CPU need not hoard here. */
	if (cc->stat.allocs == cc->aged_allocs)
		want = min_t(unsigned int, want, BOUNCE_REFILL);

	do {
		max = min_t(unsigned int, want - ac->avail, TAKE_BATCH);
		raw_spin_lock_irqsave(&n->list_lock, flags);
		if (!ac->avail && n->shared)
			swing = n->shared->avail;
		got = node_take(n, ac->entry + ac->avail, max);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
		ac->avail += got;
	} while (got == max && ac->avail < want);
	if (likely(ac->avail)) {
		cc->stat.refills++;
		cache_size_trip(cache, cc, swing);
	}
}

/*
 * Let pass as many of the oldest as will find room in the shared array, from which
 * other CPUs are served: so what was freed by mistake is taken out before, without
 * the lock.  @shared may be full, or have room, a moment later; it stays as long as
 * preemption is off (replace_arrays()).
 */
static unsigned int sift_for(struct mpslab_cache *cache,
			     const struct array_cache *shared,
			     struct array_cache *ac, unsigned int *nr,
			     struct bad_frees *bad)
{
	unsigned int room;

	if (!shared)
		return 0;
	/* It changes under the lock; any value will do, see above. */
	room = shared->limit - data_race(READ_ONCE(shared->avail));
	return sift_frees(cache, ac->entry, min(*nr, room), nr, bad);
}

/*
 * Move the oldest objects of this CPU's full array to the node: to the shared
 * array, what does not fit to their slabs.
 */
static void flush(struct mpslab_cache *cache, struct cpu_cache *cc,
		  struct list_head *empty)
{
	struct cache_node *n = local_node(cache);
	struct array_cache *ac = &cc->ac, *shared = READ_ONCE(n->shared);
	unsigned int batch = min(ac->batchcount, ac->avail), nr = batch;
	struct bad_frees bad = { };
	unsigned int done = 0, passed;
	bool swing = true;
	unsigned long flags;

	/* So many may go to others; from there to nr nobody has looked. */
	passed = sift_for(cache, shared, ac, &nr, &bad);
	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (n->shared) {
		if (likely(n->shared == shared))
			done = ac_push_many(n->shared, ac->entry, passed);
		swing = done;
	}
	done += node_put_run(cache, n, ac->entry + done,
			     min_t(unsigned int, nr - done, PUT_BATCH), empty,
			     &bad);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);

	/* More than one hold's worth, or of other nodes: the CPU changed its. */
	if (unlikely(done < nr))
		put_objects(cache, ac->entry + done, nr - done, empty);
	refuse_objects(cache, &bad);
	ac_drop_oldest(ac, batch);
	cc->stat.flushes++;
	cache_size_trip(cache, cc, swing);
}

/**
 * cpu_cache_drain() - free the oldest objects of an array to their slabs
 * @cache: the cache
 * @cc: arrays that the caller owns: its CPU's, entered, or nobody's any more
 * @max: how many at most; no more than a batch is done at a time
 * @empty: collects slabs to be released
 *
 * Context: preemption off, lest a balance counts the objects twice.
 * Return: how many were freed.
 */
unsigned int cpu_cache_drain(struct mpslab_cache *cache, struct cpu_cache *cc,
			     unsigned int max, struct list_head *empty)
{
	unsigned int nr = min3(cc->ac.avail, max, cc->ac.batchcount);

	put_objects(cache, cc->ac.entry, nr, empty);
	ac_drop_oldest(&cc->ac, nr);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(cpu_cache_drain);

static void alien_flush(struct mpslab_cache *cache, struct array_cache *alien,
			struct list_head *empty)
{
	put_objects(cache, alien->entry, alien->avail, empty);
	alien->avail = 0;
}

/**
 * cpu_cache_drain_aliens() - send home the objects of other nodes
 * @cache: the cache
 * @cc: arrays that the caller owns: its CPU's, entered, or nobody's any more
 * @empty: collects slabs to be released
 *
 * Context: preemption off.
 */
void cpu_cache_drain_aliens(struct mpslab_cache *cache, struct cpu_cache *cc,
			    struct list_head *empty)
{
	unsigned int nid;

	for (nid = 0; nid < cache->nr_aliens; nid++)
		alien_flush(cache, cpu_cache_alien(cc, nid), empty);
}
EXPORT_SYMBOL_IF_KUNIT(cpu_cache_drain_aliens);

/* Drain up to @max objects of this CPU's array, and all aliens. */
static void drain_local(struct mpslab_cache *cache, unsigned int max)
{
	struct cpu_cache *cc;
	unsigned int nr;

	do {
		LIST_HEAD(empty);

		if (WARN_ON_ONCE(!cpu_cache_enter(cache, &cc)))	/* a task */
			return;
		cpu_cache_drain_aliens(cache, cc, &empty);
		nr = cpu_cache_drain(cache, cc, max, &empty);
		cpu_cache_exit(cc);
		slab_list_release(cache, &empty);
		max -= nr;
		cond_resched();
	} while (nr && max);
}

/**
 * cpu_cache_drain_local() - empty this CPU's arrays
 * @cache: the cache
 *
 * Objects that others free on this CPU meanwhile may stay.
 *
 * Context: a task bound to the CPU; no lock below mpslab_mutex.
 */
void cpu_cache_drain_local(struct mpslab_cache *cache)
{
	drain_local(cache, 2 * CPU_LIMIT_MAX);
}
EXPORT_SYMBOL_IF_KUNIT(cpu_cache_drain_local);

/**
 * cpu_cache_refill_local() - fill this CPU's array from its node, if it is empty
 * @cache: the cache
 *
 * Context: a task bound to the CPU; no lock below mpslab_mutex.
 */
void cpu_cache_refill_local(struct mpslab_cache *cache)
{
	struct cpu_cache *cc;

	if (WARN_ON_ONCE(!cpu_cache_enter(cache, &cc)))	/* we are a task */
		return;
	if (!cc->ac.avail)
		refill(cache, cc);
	cpu_cache_exit(cc);
}
EXPORT_SYMBOL_IF_KUNIT(cpu_cache_refill_local);

/**
 * cpu_cache_reap_local() - let this CPU's arrays age
 * @cache: the cache
 *
 * Aliens go home; an array that nobody took from since the last reap loses a
 * fifth of its limit.
 *
 * Context: a task bound to the CPU; no lock below mpslab_mutex.
 */
void cpu_cache_reap_local(struct mpslab_cache *cache)
{
	struct cpu_cache *cc;
	unsigned int max = 0;

	if (WARN_ON_ONCE(!cpu_cache_enter(cache, &cc)))	/* we are a task */
		return;
	if (cc->stat.allocs == cc->aged_allocs)
		max = (cc->ac.limit + 4) / 5;
	cc->aged_allocs = cc->stat.allocs;
	cpu_cache_exit(cc);
	drain_local(cache, max);
}
EXPORT_SYMBOL_IF_KUNIT(cpu_cache_reap_local);

/* ------------------------------------------------------------------- alloc -- */

/*
 * The page allocator has such locks, so on PREEMPT_RT a free in atomic context leaves
 * an empty slab on the node; and a hardirq has better things to do than giving back
 * pages on any kernel.  The next reap takes what is above the limit.
 */
static bool may_release_slabs(void)
{
	return may_take_sleeping_locks() && !in_hardirq();
}

/* From this CPU's array, refilled if need be; the node if that is closed. */
static unsigned int alloc_from_lists(struct mpslab_cache *cache, void **to,
				     unsigned int want)
{
	struct cpu_cache *cc;
	struct cache_node *n;
	unsigned long flags;
	unsigned int got;

	if (likely(cpu_cache_enter(cache, &cc))) {
		if (!cc->ac.avail) {
			cc->stat.misses++;
			refill(cache, cc);
		}
		got = ac_pop_many(&cc->ac, to, want);
		cc->stat.allocs += got;
		cpu_cache_exit(cc);
		return got;
	}

	n = local_node(cache);
	raw_spin_lock_irqsave(&n->list_lock, flags);
	got = node_take(n, to, min_t(unsigned int, want, BOUNCE_REFILL));
	n->allocs += got;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return got;
}

/*
 * Share out a new slab: @want objects to the caller, a batch to this CPU's array
 * if the slab is of its node, the rest to the slab's node.  The caller's share
 * comes first and straight from the slab, so whoever grew the cache has an
 * object, whatever others do meanwhile.
 *
 * Until node_add_slab() nobody else knows the slab; from cpu_cache_enter() on,
 * preemption is off, so the counts change as one.
 */
static unsigned int slab_share_out(struct mpslab_cache *cache,
				   struct mpslab_slab *slab, void **to,
				   unsigned int want)
{
	struct cache_node *n = cache->node[slab_nid(slab)];
	unsigned int got = slab_take(slab, to, want);
	struct cpu_cache *cc;
	unsigned long flags;
	bool entered;

	entered = cpu_cache_enter(cache, &cc);
	if (likely(entered)) {
		struct array_cache *ac = &cc->ac;

		if (n == local_node(cache))
			ac->avail += slab_take(slab, ac->entry + ac->avail,
					       min(ac->batchcount, ac_room(ac)));
		cc->stat.allocs += got;
	}

	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (unlikely(!entered))
		n->allocs += got;
	node_add_slab(n, slab);
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	if (likely(entered))
		cpu_cache_exit(cc);
	return got;
}

/* Without new memory: whatever any node still has, this one's first. */
static unsigned int alloc_fallback(struct mpslab_cache *cache, void **to,
				   unsigned int want)
{
	struct cache_node *n;
	unsigned long flags;
	unsigned int got;
	int nid;

	got = alloc_from_lists(cache, to, want);
	if (got)
		return got;
	for_each_cache_node(cache, nid, n) {
		raw_spin_lock_irqsave(&n->list_lock, flags);
		got = node_take(n, to, min_t(unsigned int, want, BOUNCE_REFILL));
		n->allocs += got;
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
		if (got)
			break;
	}
	return got;
}

/* The exact node, if it has memory at hand that the task may use. */
static struct mpslab_slab *create_on_node(struct mpslab_cache *cache,
					  gfp_t allowed, int nid)
{
	gfp_t gfp = allowed & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL);

	gfp |= __GFP_THISNODE | __GFP_HARDWALL | __GFP_NOWARN;
	return slab_create(cache, gfp, allowed, nid);
}

/*
 * Grow the cache.  Other nodes' objects come before other nodes' memory: a task
 * whose own node is full, or forbidden to it, would else make a slab there for
 * each object.
 */
static unsigned int alloc_grow(struct mpslab_cache *cache, gfp_t gfp, int nid,
			       void **to, unsigned int want)
{
	bool choose = cache->numa && !(gfp & __GFP_THISNODE);
	struct mpslab_slab *slab = NULL;
	unsigned int got = 0;

	/* Else an allocation takes what the cache has. */
	if (likely(may_take_sleeping_locks())) {
		might_alloc(gfp);
		if (choose)
			slab = create_on_node(cache, gfp, nid);
		if (choose && !slab)
			got = alloc_fallback(cache, to, want);
		if (!slab && !got)
			slab = slab_create(cache, gfp, gfp, nid);
	}
	if (likely(slab))
		return slab_share_out(cache, slab, to, want);
	if (!got && !(gfp & __GFP_THISNODE))
		got = alloc_fallback(cache, to, want);
	return got;
}

/* At least one object, at most @want; 0 if there is no memory, or in NMI. */
static noinline unsigned int alloc_slow(struct mpslab_cache *cache, gfp_t gfp,
					void **to, unsigned int want)
{
	unsigned int got;

	if (unlikely(in_nmi()))
		return 0;
	got = alloc_from_lists(cache, to, want);
	if (likely(got))
		return got;
	return alloc_grow(cache, gfp, near_node(), to, want);
}

/* A constructed object cannot be zeroed; said here, off the fast path. */
static bool may_zero(struct mpslab_cache *cache, gfp_t gfp)
{
	if (likely(!cache->ctor || !(gfp & __GFP_ZERO)))
		return true;
	cache_bug(cache, ERROR_ARGUMENT, "allocation refused",
		  "__GFP_ZERO with a constructor");
	return false;
}

static noinline void *zero_object(struct mpslab_cache *cache, gfp_t gfp,
				  void *obj)
{
	if (unlikely(!obj))
		return NULL;
	if (unlikely(!may_zero(cache, gfp))) {
		mpslab_cache_free(cache, obj);
		return NULL;
	}
	return memset(obj, 0, cache->object_size);
}

/**
 * alloc_work() - what some caches do to every object that they hand out
 * @cache: the cache
 * @gfp: the caller's flags, and those of cache->work_gfp
 * @obj: the object, or NULL
 *
 * An object that is not what it was when it was freed is kept aside, and another
 * takes its place; as one less is there each time, that comes to an end.  None does if
 * it has to be of one node, which is not known here.
 *
 * Context: as mpslab_cache_alloc().
 * Return: an object, or NULL.
 */
void *alloc_work(struct mpslab_cache *cache, gfp_t gfp, void *obj)
{
	if (gfp & GFP_WORK) {
		while (obj && READ_ONCE(cache->look) && !check_alloc(cache, obj)) {
			obj = NULL;
			if (!(gfp & __GFP_THISNODE))
				alloc_slow(cache, gfp & ~GFP_WORK, &obj, 1);
		}
		if (obj && cache_has_tools(cache))
			tools_see_alloc(cache, gfp, obj);
	}
	if (gfp & __GFP_ZERO)
		return zero_object(cache, gfp, obj);
	return obj;
}

static noinline void *alloc_one_slow(struct mpslab_cache *cache, gfp_t gfp)
{
	void *obj = NULL;

	alloc_slow(cache, gfp, &obj, 1);
	gfp |= cache_work_gfp(cache);
	if (gfp & (__GFP_ZERO | GFP_WORK))
		return alloc_work(cache, gfp, obj);
	return obj;
}

/**
 * mpslab_cache_alloc() - allocate an object
 * @cache: the cache
 * @gfp: allocation flags; %__GFP_ZERO only without a constructor
 *
 * Context: any.  Sleeps if @gfp has %__GFP_DIRECT_RECLAIM.  In NMI it gives what
 * this CPU's array holds, or nothing.  On PREEMPT_RT, atomic context gets what
 * the cache holds: only preemptible context may reach the page allocator.
 * Return: the object, or NULL without memory and for a caller's mistake (a NULL
 * cache, %__GFP_ZERO with a constructor), which is reported.
 */
void *mpslab_cache_alloc(struct mpslab_cache *cache, gfp_t gfp)
{
	void *obj;

	if (unlikely(!cache)) {
		usage_bug("cache", "allocation from a NULL cache");
		return NULL;
	}
	if (IS_ENABLED(CONFIG_DEBUG_ATOMIC_SLEEP) || IS_ENABLED(CONFIG_LOCKDEP))
		might_alloc(gfp);
	if (unlikely(!cpu_cache_pop(cache, &obj, NULL)))
		return alloc_one_slow(cache, gfp);
	gfp |= cache_work_gfp(cache);
	if (unlikely(gfp & (__GFP_ZERO | GFP_WORK)))
		return gfp & GFP_WORK ? alloc_work(cache, gfp, obj) :
					zero_object(cache, gfp, obj);
	return obj;
}
EXPORT_SYMBOL_GPL(mpslab_cache_alloc);

static void *alloc_on_node(struct mpslab_cache *cache, gfp_t gfp, int nid)
{
	struct cache_node *n = cache->node[nid];
	void *obj = NULL;
	unsigned long flags;
	unsigned int got;

	if (unlikely(in_nmi()))
		return NULL;
	raw_spin_lock_irqsave(&n->list_lock, flags);
	got = node_take(n, &obj, 1);
	n->allocs += got;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	if (!got)
		alloc_grow(cache, gfp, nid, &obj, 1);
	return obj;
}

/**
 * mpslab_cache_alloc_node() - allocate an object of a given NUMA node
 * @cache: the cache
 * @gfp: allocation flags; with %__GFP_THISNODE no other node will do
 * @nid: the node, or %NUMA_NO_NODE for the nearest
 *
 * A node that could exist but has no memory counts as %NUMA_NO_NODE.
 *
 * Context: as mpslab_cache_alloc().
 * Return: as mpslab_cache_alloc(); also NULL, with a report, for a node that
 * cannot exist.
 */
void *mpslab_cache_alloc_node(struct mpslab_cache *cache, gfp_t gfp, int nid)
{
	void *obj;

	if (unlikely(!cache))
		return mpslab_cache_alloc(cache, gfp);
	if (nid == NUMA_NO_NODE)
		return mpslab_cache_alloc(cache, gfp);
	if (unlikely(nid < 0 || nid >= nr_node_ids || !cache->node[nid])) {
		cache_bug(cache, ERROR_ARGUMENT, "allocation refused",
			  "no node %d", nid);
		return NULL;
	}
	if (!(gfp & __GFP_THISNODE) &&
	    (nid == near_node() || !node_state(nid, N_MEMORY)))
		return mpslab_cache_alloc(cache, gfp);
	if (unlikely(!node_state(nid, N_MEMORY)))
		return NULL;

	obj = alloc_on_node(cache, gfp, nid);
	return alloc_work(cache, gfp | cache_work_gfp(cache), obj);
}
EXPORT_SYMBOL_GPL(mpslab_cache_alloc_node);

/*
 * alloc_work() for many; false without memory for one that was to replace another,
 * and then the caller has none.
 */
static noinline bool alloc_work_bulk(struct mpslab_cache *cache, gfp_t gfp,
				     size_t nr, void **objs)
{
	bool all = true;
	size_t i;

	for (i = 0; i < nr; i++) {
		objs[i] = alloc_work(cache, gfp, objs[i]);
		all &= !!objs[i];
	}
	for (i = 0; i < nr && unlikely(!all); i++)
		if (objs[i])
			mpslab_cache_free(cache, objs[i]);
	return all;
}

/* Give back the first of what was to be more, as if it had been handed out. */
static void alloc_unwind(struct mpslab_cache *cache, gfp_t gfp, size_t nr,
			 void **objs)
{
	gfp = (gfp & ~__GFP_ZERO) | (cache_work_gfp(cache) & GFP_WORK);
	if (!(gfp & GFP_WORK) || alloc_work_bulk(cache, gfp, nr, objs))
		mpslab_cache_free_bulk(cache, nr, objs);
}

/**
 * mpslab_cache_alloc_bulk() - allocate many objects, or none
 * @cache: the cache
 * @gfp: allocation flags
 * @nr: how many
 * @objs: filled with the objects; undefined on failure
 *
 * Context: as mpslab_cache_alloc().
 * Return: @nr, or 0 if that many could not be had.
 */
int mpslab_cache_alloc_bulk(struct mpslab_cache *cache, gfp_t gfp, size_t nr,
			    void **objs)
{
	size_t done = 0;
	unsigned int got;

	if (unlikely(!cache || (nr && !objs) || nr > INT_MAX)) {
		usage_bug("cache", "bulk allocation of %zu from a NULL cache or to a NULL array",
			  nr);
		return 0;
	}
	if (unlikely(!may_zero(cache, gfp)))
		return 0;
	while (done < nr) {
		got = alloc_slow(cache, gfp, objs + done, nr - done);
		if (unlikely(!got)) {
			alloc_unwind(cache, gfp, done, objs);
			return 0;
		}
		done += got;
	}
	gfp |= cache_work_gfp(cache);
	if (gfp & (__GFP_ZERO | GFP_WORK) &&
	    !alloc_work_bulk(cache, gfp, nr, objs))
		return 0;
	return nr;
}
EXPORT_SYMBOL_GPL(mpslab_cache_alloc_bulk);

/* -------------------------------------------------------------------- free -- */

/**
 * free_error() - what is wrong with a free
 * @slab: the slab of the cache that the address lies in, or NULL; not looked at, as
 *	nothing keeps it there
 * @index: the number of the object in it, which is free, or -1 if it is none
 * @obj: the address
 *
 * Context: any.
 * Return: one of NR_FREE_ERRORS.
 */
enum cache_error free_error(const struct mpslab_slab *slab, int index,
			    const void *obj)
{
	if (!slab)
		return any_slab(obj) ? ERROR_OTHER_CACHE : ERROR_NO_OBJECT;
	return index < 0 ? ERROR_INSIDE : ERROR_DOUBLE_FREE;
}

/* Straight to the slab, because this CPU's arrays are closed. */
static void free_direct(struct mpslab_cache *cache, void *obj,
			struct list_head *empty)
{
	enum cache_error error = ERROR_NO_OBJECT;
	int nid = obj_nid(obj);
	struct cache_node *n = nid == NUMA_NO_NODE ? NULL : cache->node[nid];
	struct mpslab_slab *slab;
	unsigned long flags;
	bool ok = false;

	if (likely(n)) {
		raw_spin_lock_irqsave(&n->list_lock, flags);
		slab = obj_to_slab(cache, obj);
		ok = slab && node_put(n, slab, obj, empty);
		n->frees += ok;
		if (unlikely(!ok))
			error = free_error(slab, slab ? slab_index(slab, obj) : -1,
					   obj);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	if (unlikely(!ok))
		refuse_free(cache, error, obj);
}

/*
 * The array of this CPU that an object of node @nid belongs in; NULL if it should
 * go home by itself.
 */
static struct array_cache *array_for(struct mpslab_cache *cache,
				     struct cpu_cache *cc, int nid)
{
	if (nid == NUMA_NO_NODE || nid == near_node())
		return &cc->ac;
	return cache->nr_aliens ? cpu_cache_alien(cc, nid) : NULL;
}

/* There is room then, unless this is NMI, where no node may be gone to. */
static void make_room(struct mpslab_cache *cache, struct cpu_cache *cc,
		      struct array_cache *ac, struct list_head *empty)
{
	if (ac_room(ac) || in_nmi())
		return;
	if (ac == &cc->ac)
		flush(cache, cc, empty);
	else
		alien_flush(cache, ac, empty);
}

/*
 * In NMI: does an array of this CPU take the object?  Whoever was interrupted waits, so
 * one that has room keeps it until we push.
 */
static bool array_takes(struct mpslab_cache *cache, int nid)
{
	struct cpu_cache *cc = raw_cpu_ptr(READ_ONCE(cache->cpu));
	struct array_cache *ac;

	if (!READ_ONCE(cc->gate))
		return false;
	ac = array_for(cache, cc, nid);
	return ac && ac_room(ac);
}

/*
 * Frees that are not a mere push; @nid is the object's node where that matters.
 * Whether it is this CPU's is asked inside, where the CPU cannot change.
 */
static noinline void free_slow(struct mpslab_cache *cache, void *obj, int nid)
{
	LIST_HEAD(empty_slabs);
	struct list_head *empty = may_release_slabs() ? &empty_slabs : NULL;
	struct array_cache *ac;
	struct cpu_cache *cc;
	bool done = false, twice = false;

	if (likely(cpu_cache_enter(cache, &cc))) {
		ac = array_for(cache, cc, nid);
		twice = ac && ac_newest_is(ac, obj);
		if (likely(ac && !twice)) {
			make_room(cache, cc, ac, empty);
			done = ac_push(ac, ac->limit, obj);
			cc->stat.frees += done;
		}
		cpu_cache_exit(cc);
	}
	if (unlikely(twice)) {
		refuse_free(cache, ERROR_DOUBLE_FREE, obj);
	} else if (unlikely(!done)) {
		if (in_nmi())
			refuse_free(cache, ERROR_CONTEXT, obj);
		else
			free_direct(cache, obj, empty);
	}
	slab_list_release(cache, &empty_slabs);
}

/* Before an object that comes back is written to, or told of, it must be one. */
static bool is_object(struct mpslab_cache *cache, void *obj)
{
	struct mpslab_slab *slab;
	int i = obj_to_index(cache, obj, &slab);

	if (likely(i >= 0))
		return true;
	refuse_free(cache, free_error(slab, i, obj), obj);
	return false;
}

/*
 * What some caches do at every free: look at the object, wipe it, and send it home
 * if it is of another node, for which its page is enough: as on a machine of one
 * node, what is no object of the cache is found when it leaves the array.
 */
static void free_with_work(struct mpslab_cache *cache, void *obj)
{
	int nid = obj_nid(obj);
	bool done;

	if (unlikely(nid == NUMA_NO_NODE)) {
		refuse_free(cache, ERROR_NO_OBJECT, obj);
		return;
	}
	/* Before the object is changed. */
	if (unlikely(in_nmi()) && !array_takes(cache, nid)) {
		refuse_free(cache, ERROR_CONTEXT, obj);
		return;
	}
	if (READ_ONCE(cache->look)) {
		if (!check_free(cache, obj))
			return;
	} else if (cache->init_on_free || cache_has_tools(cache)) {
		if (!is_object(cache, obj))
			return;
		if (cache->init_on_free)
			memset(obj, 0, cache->object_size);
	}
	if (cache_has_tools(cache))
		tools_see_free(cache, obj);
	preempt_disable();
	done = nid == near_node() && cpu_cache_push(cache, obj, NULL);
	preempt_enable();
	if (unlikely(!done))
		free_slow(cache, obj, nid);
}

/* Frees above whose address cache->push_above is, if there is a cache. */
static noinline void free_no_push(struct mpslab_cache *cache, void *obj)
{
	if (unlikely(!cache))
		usage_bug("cache", "free of an object of a NULL cache");
	else if (unlikely(!obj))
		refuse_free(cache, ERROR_ARGUMENT, NULL);
	else
		free_with_work(cache, obj);
}

/**
 * mpslab_cache_free() - free an object
 * @cache: the cache that it is of
 * @obj: the object
 *
 * Context: any; never sleeps.  In NMI it works if this CPU's array has room and
 * nobody was interrupted in it; else the object is not freed, and that is
 * reported.
 */
void mpslab_cache_free(struct mpslab_cache *cache, void *obj)
{
	if (unlikely(!cache || !may_push(cache, obj))) {
		free_no_push(cache, obj);
		return;
	}
	if (unlikely(!cpu_cache_push(cache, obj, NULL)))
		free_slow(cache, obj, NUMA_NO_NODE);
}
EXPORT_SYMBOL_GPL(mpslab_cache_free);

/* As many as fit in this CPU's array, up to one that needs a closer look. */
static size_t push_some(struct mpslab_cache *cache, size_t nr, void **objs)
{
	struct cpu_cache *cc;
	size_t done = 0;

	if (!cpu_cache_enter(cache, &cc))
		return 0;
	while (done < nr && may_push(cache, objs[done]) &&
	       ac_push(&cc->ac, cc->ac.limit, objs[done]))
		done++;
	cc->stat.frees += done;
	cpu_cache_exit(cc);
	return done;
}

/**
 * mpslab_cache_free_bulk() - free many objects
 * @cache: the cache that they are of
 * @nr: how many
 * @objs: the objects
 *
 * Context: as mpslab_cache_free().
 */
void mpslab_cache_free_bulk(struct mpslab_cache *cache, size_t nr, void **objs)
{
	size_t done;

	if (unlikely(!cache || (nr && !objs))) {
		usage_bug("cache", "bulk free of %zu to a NULL cache or of a NULL array",
			  nr);
		return;
	}
	while (nr) {
		done = push_some(cache, nr, objs);
		if (!done) {
			mpslab_cache_free(cache, *objs);
			done = 1;
		}
		nr -= done;
		objs += done;
	}
}
EXPORT_SYMBOL_GPL(mpslab_cache_free_bulk);
