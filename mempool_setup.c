// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's life: set up, exit, a name, another size.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mempool_internal.h"

static void set_min_nr(struct mpslab_pool *pool, int min_nr)
{
	WRITE_ONCE(pool->min_nr, min_nr);
	WRITE_ONCE(pool->missing, reserve_size(min_nr) - pool->curr_nr);
}

/**
 * pool_report_foreign() - report that something else was passed for a pool
 * @pool: what was passed; a pool that is not set up is none, either
 * @what: what was asked for, and is not done
 *
 * Context: any.
 */
void pool_report_foreign(const struct mpslab_pool *pool, const char *what)
{
	usage_bug("pool", "%s refused: %p is not a pool of mpslab (magic %#x)", what,
		  pool, READ_ONCE(pool->magic));
}

/* ---------------------------------------------------------------- set up, exit -- */

static int check_pool_args(int min_nr, mpslab_pool_alloc_t *alloc,
			   mpslab_pool_free_t *free)
{
	if (min_nr >= 0 && alloc && free)
		return 0;
	usage_bug("pool", "not created: min_nr %d, %s", min_nr,
		  alloc && free ? "negative" : "no backend");
	return -EINVAL;
}

static void **alloc_elements(int min_nr, gfp_t gfp, int nid)
{
	/*
	 * At least one: a NULL array is what tells a pool that is not set up.  Zeroed
	 * for KMSAN, as in shared_create().
	 */
	return setup_alloc(kcalloc_node(max(min_nr, 1), sizeof(void *),
					gfp | __GFP_NOWARN, nid));
}

static int preallocate(struct mpslab_pool *pool, gfp_t gfp)
{
	void *element;

	while (pool->curr_nr < reserve_size(pool->min_nr)) {
		element = setup_alloc(pool->alloc(gfp, pool->pool_data));
		if (!element)
			return -ENOMEM;
		pool->elements[pool->curr_nr++] = element;
	}
	pool->missing = 0;
	pool->low_water = pool->curr_nr;
	return 0;
}

static void free_reserve(struct mpslab_pool *pool)
{
	while (pool->curr_nr)
		pool->free(pool->elements[--pool->curr_nr], pool->pool_data);
	kfree(pool->elements);
	pool->elements = NULL;
	/* First, as who writes a plan for all pools sets the magic anew. */
	fault_pool_exit(pool->faults);
	pool->faults = NULL;
	WRITE_ONCE(pool->magic, POOL_GONE);
	free_percpu(pool->stat);
	pool->stat = NULL;
	pool_track_exit(pool);
}

static int pool_init(struct mpslab_pool *pool, int min_nr,
		     mpslab_pool_alloc_t *alloc, mpslab_pool_free_t *free,
		     void *pool_data, gfp_t gfp, int nid, unsigned long creator)
{
	int err;

	might_sleep();
	if (!pool) {
		usage_bug("pool", "init of a NULL pool");
		return -EINVAL;
	}
	memset(pool, 0, sizeof(*pool));	/* so that exit is fine whatever fails */
	err = check_pool_args(min_nr, alloc, free);
	if (err)
		return err;
	raw_spin_lock_init(&pool->lock);
	mutex_init(&pool->resize_lock);
	INIT_LIST_HEAD(&pool->waiters);
	set_min_nr(pool, min_nr);
	pool->pool_data = pool_data;
	pool->alloc = alloc;
	pool->free = free;
	pool_set_slow(pool, 0, false);
	pool->bypass_ns = BYPASS_US * NSEC_PER_USEC;

	err = -ENOMEM;
	pool->stat = setup_alloc(alloc_percpu_gfp(struct mpslab_pool_stat, gfp));
	if (pool->stat)
		pool->faults = fault_pool_init(pool, gfp);
	if (pool->faults)
		pool->elements = alloc_elements(min_nr, gfp, nid);
	if (pool->elements)
		err = preallocate(pool, gfp);
	if (!err) {
		unsigned int noio = memalloc_noio_save();

		/* It has no gfp of its own; @gfp may forbid I/O. */
		err = debugfs_pool_add(pool, creator);
		memalloc_noio_restore(noio);
	}
	if (err) {
		free_reserve(pool);
		return err;
	}
	/* As for a cache: a live pool needs our code. */
	__module_get(THIS_MODULE);
	return 0;
}

/**
 * mpslab_pool_init_node() - set up a pool in memory of the caller's
 * @pool: the pool; need not be zeroed
 * @min_nr: elements in the reserve, 0 or more
 * @alloc: the backend's allocation; may sleep if its gfp argument says so
 * @free: the backend's free
 * @pool_data: passed to both
 * @gfp: flags for the reserve
 * @nid: node for the pool's own data, or %NUMA_NO_NODE
 *
 * Context: task; sleeps.
 * Return: 0; -ENOMEM; -EINVAL, with a report, for bad arguments.  After a failure
 * nothing remains, and mpslab_pool_exit() is fine but not needed.
 */
int mpslab_pool_init_node(struct mpslab_pool *pool, int min_nr,
			  mpslab_pool_alloc_t *alloc, mpslab_pool_free_t *free,
			  void *pool_data, gfp_t gfp, int nid)
{
	return pool_init(pool, min_nr, alloc, free, pool_data, gfp, nid, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpslab_pool_init_node);

/**
 * mpslab_pool_init() - set up a pool in memory of the caller's
 * @pool: the pool; need not be zeroed
 * @min_nr: elements in the reserve, 0 or more
 * @alloc: the backend's allocation
 * @free: the backend's free
 * @pool_data: passed to both
 *
 * Context: task; sleeps.
 * Return: as mpslab_pool_init_node().
 */
int mpslab_pool_init(struct mpslab_pool *pool, int min_nr,
		     mpslab_pool_alloc_t *alloc, mpslab_pool_free_t *free,
		     void *pool_data)
{
	return pool_init(pool, min_nr, alloc, free, pool_data, GFP_KERNEL,
			 NUMA_NO_NODE, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpslab_pool_init);

static struct mpslab_pool *pool_create(int min_nr, mpslab_pool_alloc_t *alloc,
				       mpslab_pool_free_t *free,
				       void *pool_data, gfp_t gfp, int nid,
				       unsigned long creator)
{
	struct mpslab_pool *pool;

	pool = setup_alloc(kzalloc_node(sizeof(*pool), gfp, nid));
	if (pool && pool_init(pool, min_nr, alloc, free, pool_data, gfp, nid,
			      creator)) {
		kfree(pool);
		return NULL;
	}
	return pool;
}

/**
 * mpslab_pool_create_node() - create a pool
 * @min_nr: elements in the reserve, 0 or more
 * @alloc: the backend's allocation
 * @free: the backend's free
 * @pool_data: passed to both
 * @gfp: flags for the reserve
 * @nid: node for the pool's own data, or %NUMA_NO_NODE
 *
 * Context: as mpslab_pool_init_node().
 * Return: the pool, or NULL where mpslab_pool_init_node() fails.
 */
struct mpslab_pool *mpslab_pool_create_node(int min_nr,
					    mpslab_pool_alloc_t *alloc,
					    mpslab_pool_free_t *free,
					    void *pool_data, gfp_t gfp, int nid)
{
	return pool_create(min_nr, alloc, free, pool_data, gfp, nid, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpslab_pool_create_node);

/**
 * mpslab_pool_create() - create a pool
 * @min_nr: elements in the reserve, 0 or more
 * @alloc: the backend's allocation
 * @free: the backend's free
 * @pool_data: passed to both
 *
 * Context: task; sleeps.
 * Return: the pool, or NULL where mpslab_pool_init() fails.
 */
struct mpslab_pool *mpslab_pool_create(int min_nr, mpslab_pool_alloc_t *alloc,
				       mpslab_pool_free_t *free, void *pool_data)
{
	return pool_create(min_nr, alloc, free, pool_data, GFP_KERNEL,
			   NUMA_NO_NODE, _RET_IP_);
}
EXPORT_SYMBOL_GPL(mpslab_pool_create);

/* Neither a pool, nor one that was, nor room for one that is still zeroed? */
static bool is_foreign(const struct mpslab_pool *pool)
{
	return !pool_is_ours(pool) && pool->magic != POOL_GONE &&
	       memchr_inv(pool, 0, offsetofend(struct mpslab_pool, free));
}

/* Elements in use, or somebody waiting: freeing the pool is a mistake. */
static void report_outstanding(struct mpslab_pool *pool)
{
	struct pool_counts counts;

	pool_counts(pool, &counts);
	if (pool->nr_waiters)
		pool_bug(pool, "destroyed with %u waiter(s)", pool->nr_waiters);
	if (counts.outstanding > 0 &&
	    pool_bug(pool, "destroyed with %lld element(s) outstanding",
		     counts.outstanding))
		pool_report_holder(pool);
}

/**
 * mpslab_pool_exit() - undo mpslab_pool_init()
 * @pool: the pool; may be zeroed and never set up, or exited already
 *
 * The reserve goes to the backend.  Elements that are still in use are reported
 * with their number, and with who has had one for longest if that is tracked, and
 * left to whoever has them.
 *
 * Context: task; sleeps.  Nobody else uses the pool any more.
 */
void mpslab_pool_exit(struct mpslab_pool *pool)
{
	if (!pool)
		return;
	if (is_foreign(pool))
		pool_report_foreign(pool, "exit");
	if (!pool_is_ours(pool))
		return;
	might_sleep();
	report_outstanding(pool);
	debugfs_pool_remove(pool);
	free_reserve(pool);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_GPL(mpslab_pool_exit);

/**
 * mpslab_pool_destroy() - undo mpslab_pool_create()
 * @pool: the pool; NULL is fine
 *
 * Context: as mpslab_pool_exit().
 */
void mpslab_pool_destroy(struct mpslab_pool *pool)
{
	if (!pool)
		return;
	if (is_foreign(pool)) {
		pool_report_foreign(pool, "destroy");
		return;
	}
	mpslab_pool_exit(pool);
	kfree(pool);
}
EXPORT_SYMBOL_GPL(mpslab_pool_destroy);

/**
 * mpslab_pool_set_name() - name a pool in debugfs and in reports
 * @pool: the pool
 * @name: its name; copied, made safe and unique
 *
 * Context: task; sleeps.
 * Return: 0, or -EINVAL, with a report, for no pool or no name.
 */
int mpslab_pool_set_name(struct mpslab_pool *pool, const char *name)
{
	if (!pool || !name || !*name) {
		usage_bug("pool", "no pool or no name to set");
		return -EINVAL;
	}
	if (pool_refused(pool, "name"))
		return -EINVAL;
	debugfs_pool_rename(pool, name);
	return 0;
}
EXPORT_SYMBOL_GPL(mpslab_pool_set_name);

/* ---------------------------------------------------------------------- resize -- */

static void reset_low_water(struct mpslab_pool *pool)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	pool->low_water = pool->curr_nr;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

/*
 * The reserve becomes smaller at once, the surplus goes to the backend bit by
 * bit, each element taken under the lock and freed without it.
 */
static int pool_shrink(struct mpslab_pool *pool, int new_min_nr)
{
	unsigned long flags;
	void *element;

	raw_spin_lock_irqsave(&pool->lock, flags);
	set_min_nr(pool, new_min_nr);
	while (pool->missing < 0) {
		element = pool_remove_element(pool);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
		pool->free(element, pool->pool_data);
		raw_spin_lock_irqsave(&pool->lock, flags);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	reset_low_water(pool);
	return 0;
}

/*
 * Each new element goes the way of a free: to whoever waits, else to the reserve,
 * else, if frees were quicker to fill it, to the backend.  One hold of the lock
 * for each, because a wake-up is not short.
 */
static void put_new_elements(struct mpslab_pool *pool, void **elems, int nr)
{
	unsigned long flags;
	bool kept;

	while (nr) {
		raw_spin_lock_irqsave(&pool->lock, flags);
		kept = pool_keep_element(pool, elems[--nr]);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
		if (!kept)
			pool->free(elems[nr], pool->pool_data);
	}
}

/*
 * @extra elements from the backend, and in *@nr how many there were before one
 * failed.  That may take long, with a plan that makes each of them late.
 */
static int take_new_elements(struct mpslab_pool *pool, void **elems, int extra,
			     int *nr)
{
	for (*nr = 0; *nr < extra; (*nr)++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		/* Hard, but a size that cannot be had is no reason to kill. */
		elems[*nr] = setup_alloc(pool->alloc(GFP_KERNEL | __GFP_NOWARN |
						     __GFP_RETRY_MAYFAIL,
						     pool->pool_data));
		if (!elems[*nr])
			return -ENOMEM;
	}
	return 0;
}

/*
 * Everything that can fail comes first and touches nothing: the new array, and
 * the elements to put there.  Nobody else resizes meanwhile, so min_nr stands.
 * What was had of elements when the next failed is put like the others.
 */
static int pool_grow(struct mpslab_pool *pool, int new_min_nr)
{
	int extra = new_min_nr - reserve_size(pool->min_nr), nr = 0;
	void **array, **elems, **old;
	unsigned long flags;
	int err = -ENOMEM;

	array = alloc_elements(new_min_nr, GFP_KERNEL, NUMA_NO_NODE);
	elems = alloc_elements(extra, GFP_KERNEL, NUMA_NO_NODE);
	if (array && elems)
		err = take_new_elements(pool, elems, extra, &nr);
	if (err) {
		put_new_elements(pool, elems, nr);
		kfree(elems);
		kfree(array);
		return err;
	}

	raw_spin_lock_irqsave(&pool->lock, flags);
	memcpy(array, pool->elements, pool->curr_nr * sizeof(void *));
	old = pool->elements;
	WRITE_ONCE(pool->elements, array);
	set_min_nr(pool, new_min_nr);
	raw_spin_unlock_irqrestore(&pool->lock, flags);

	put_new_elements(pool, elems, nr);
	reset_low_water(pool);
	kfree(old);
	kfree(elems);
	return 0;
}

/**
 * mpslab_pool_resize() - change the size of a pool's reserve
 * @pool: the pool
 * @new_min_nr: elements in the reserve from now on, 0 or more
 *
 * Others may allocate, free and resize meanwhile.  Waiters are served by growth;
 * shrinking does not take from them.
 *
 * Context: task; sleeps.  Who is killed meanwhile grows no further: each element is
 * asked for as hard as can be, and a plan may make each of them late.
 * Return: 0; -ENOMEM, or -EINTR if the task was killed while the reserve grew, and
 * then nothing has changed; -EINVAL, with a report, for a NULL pool or a negative
 * size.
 */
int mpslab_pool_resize(struct mpslab_pool *pool, int new_min_nr)
{
	int err;

	if (!pool || new_min_nr < 0) {
		usage_bug(pool ? debugfs_pool_name(pool) : "pool",
			  "not resized to %d", new_min_nr);
		return -EINVAL;
	}
	if (pool_refused(pool, "resize"))
		return -EINVAL;
	might_sleep();
	mutex_lock(&pool->resize_lock);
	if (new_min_nr > pool->min_nr)
		err = pool_grow(pool, new_min_nr);
	else
		err = pool_shrink(pool, new_min_nr);
	mutex_unlock(&pool->resize_lock);
	return err;
}
EXPORT_SYMBOL_GPL(mpslab_pool_resize);

/* ------------------------------------------------------------ what tests force -- */

/* One element of the reserve to the backend; false if there is none. */
static bool drain_one(struct mpslab_pool *pool)
{
	void *element = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&pool->lock, flags);
	if (pool->curr_nr)
		element = pool_remove_element(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (!element)
		return false;
	pool->free(element, pool->pool_data);
	return true;
}

/**
 * pool_force_drain() - give the reserve to the backend
 * @pool: the pool
 *
 * As many elements as it has now: frees may fill it as fast as it is emptied.
 * From here on the pool keeps its promise no better than its backend does, until
 * frees have filled the reserve again, or pool_force_refill() has.
 *
 * Context: task; sleeps.
 * Return: 0; -EINTR if the task was killed, with the rest in its place.
 */
int pool_force_drain(struct mpslab_pool *pool)
{
	int left, err = 0;

	mutex_lock(&pool->resize_lock);
	for (left = READ_ONCE(pool->curr_nr); left > 0; left--) {
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		if (!drain_one(pool))
			break;
		cond_resched();
	}
	mutex_unlock(&pool->resize_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(pool_force_drain);

/**
 * pool_force_refill() - fill the reserve from the backend
 * @pool: the pool
 *
 * Who waits is served first.
 *
 * Context: task; sleeps.
 * Return: 0; -ENOMEM, or -EINTR if the task was killed, with what could be had in
 * its place.
 */
int pool_force_refill(struct mpslab_pool *pool)
{
	void *element;
	int err = 0;

	mutex_lock(&pool->resize_lock);
	while (!err && READ_ONCE(pool->missing) > 0) {
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		element = pool->alloc(GFP_KERNEL | __GFP_RETRY_MAYFAIL |
				      __GFP_NOWARN, pool->pool_data);
		if (element)
			put_new_elements(pool, &element, 1);
		else
			err = -ENOMEM;
	}
	mutex_unlock(&pool->resize_lock);
	return err;
}
EXPORT_SYMBOL_IF_KUNIT(pool_force_refill);
