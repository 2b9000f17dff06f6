// SPDX-License-Identifier: GPL-2.0
/*
 * Giving memory back: draining on demand, reaping with time, and the coming and
 * going of CPUs, and of the memory near them.  Each CPU works on its own arrays.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/jiffies.h>
#include <linux/mmzone.h>
#include <linux/workqueue.h>

#include "internal.h"

/* How often a CPU's arrays and a node's free slabs age. */
#define REAP_CPU_INTERVAL	(2 * HZ)
#define REAP_NODE_INTERVAL	(4 * HZ)

static struct workqueue_struct *mpslab_wq;
static int online_state, dead_state;

/* -------------------------------------------------------------- nearest memory -- */

DEFINE_PER_CPU(int, cpu_near_node);
EXPORT_PER_CPU_SYMBOL_IF_KUNIT(cpu_near_node);

/*
 * Where the page allocator would look first for a CPU of this node.  Its list is
 * read as the page allocator reads it: memory that comes or goes meanwhile may
 * make the answer an old one, but never the number of no node.
 */
static int nearest_with_memory(int nid)
{
	struct zoneref *z = node_zonelist(nid, GFP_KERNEL)->_zonerefs;

	for (; zonelist_zone(z); z++)
		if (zonelist_zone_idx(z) <= gfp_zone(GFP_KERNEL))
			return zonelist_node_idx(z);
	return nid;
}

/* On the CPU that it is about, when it comes, and with time as memory may, too. */
static void near_node_update(void)
{
	this_cpu_write(cpu_near_node, nearest_with_memory(numa_node_id()));
}

/**
 * near_node_init() - find the nearest memory of each CPU
 *
 * Also of those that are yet to come: they allocate before we hear of them.
 */
void near_node_init(void)
{
	int cpu, nid;

	for_each_possible_cpu(cpu) {
		nid = cpu_to_node(cpu);
		if (nid == NUMA_NO_NODE)
			nid = numa_node_id();
		per_cpu(cpu_near_node, cpu) = nearest_with_memory(nid);
	}
}

/* ------------------------------------------------------------------- draining -- */

/**
 * cpu_cache_drain_dead() - empty arrays that no CPU uses any more
 * @cache: the cache
 * @cc: the arrays of a dead CPU, or replaced ones
 *
 * Context: task; mpslab_mutex.
 */
void cpu_cache_drain_dead(struct mpslab_cache *cache, struct cpu_cache *cc)
{
	unsigned int nr;

	lockdep_assert_held(&mpslab_mutex);
	do {
		LIST_HEAD(empty);

		preempt_disable();
		cpu_cache_drain_aliens(cache, cc, &empty);
		nr = cpu_cache_drain(cache, cc, UINT_MAX, &empty);
		preempt_enable();
		slab_list_release(cache, &empty);
		cond_resched();
	} while (nr);
}

struct drain_work {
	struct work_struct work;
	struct mpslab_cache *cache;	/* under mpslab_mutex */
};

static DEFINE_PER_CPU(struct drain_work, drain_works);

static void drain_work_fn(struct work_struct *work)
{
	struct drain_work *w = container_of(work, struct drain_work, work);

	cpu_cache_drain_local(w->cache);
}

/* Empty the arrays of every CPU, each on its own. */
static void drain_all_cpus(struct mpslab_cache *cache)
{
	int cpu;

	lockdep_assert_held(&mpslab_mutex);
	for_each_online_cpu(cpu) {
		struct drain_work *w = per_cpu_ptr(&drain_works, cpu);

		w->cache = cache;
		INIT_WORK(&w->work, drain_work_fn);
		queue_work_on(cpu, mpslab_wq, &w->work);
	}
	for_each_online_cpu(cpu)
		flush_work(&per_cpu_ptr(&drain_works, cpu)->work);
}

/* Everything free goes to its slab; those above the limit go, too. */
static void empty_arrays(struct mpslab_cache *cache)
{
	struct cache_node *n;
	int nid;

	drain_all_cpus(cache);
	/* Not for ever, where others fill it meanwhile. */
	for_each_cache_node(cache, nid, n)
		node_drain_shared(cache, n, SHARED_FACTOR_MAX * CPU_LIMIT_MAX);
}

/**
 * cache_drain() - give everything free back to the page allocator
 * @cache: the cache
 *
 * Context: task; sleeps.
 */
void cache_drain(struct mpslab_cache *cache)
{
	struct cache_node *n;
	int nid;

	cpus_read_lock();
	mutex_lock(&mpslab_mutex);
	empty_arrays(cache);
	for_each_cache_node(cache, nid, n)
		node_reap_free(cache, n, ULONG_MAX);
	mutex_unlock(&mpslab_mutex);
	cpus_read_unlock();
}

/* ------------------------------------------------------------ what tests force -- */

/**
 * cache_force_drain() - empty all arrays to their slabs
 * @cache: the cache
 *
 * So that the next allocations come from slabs.  These stay, as far as their
 * nodes keep free ones.
 *
 * Context: task; sleeps.
 * Return: 0.
 */
int cache_force_drain(struct mpslab_cache *cache)
{
	cpus_read_lock();
	mutex_lock(&mpslab_mutex);
	empty_arrays(cache);
	mutex_unlock(&mpslab_mutex);
	cpus_read_unlock();
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(cache_force_drain);

struct refill_work {
	struct work_struct work;
	struct mpslab_cache *cache;
};

static void refill_work_fn(struct work_struct *work)
{
	cpu_cache_refill_local(container_of(work, struct refill_work, work)->cache);
}

/**
 * cache_force_refill() - fill the arrays of all CPUs from slabs
 * @cache: the cache
 *
 * A batch each, and less where the slabs of the CPU's node have no more: nothing
 * is allocated for it.
 *
 * Context: task; sleeps.
 * Return: 0.
 */
int cache_force_refill(struct mpslab_cache *cache)
{
	struct refill_work w = { .cache = cache };
	int cpu;

	INIT_WORK_ONSTACK(&w.work, refill_work_fn);
	cpus_read_lock();
	mutex_lock(&mpslab_mutex);
	empty_arrays(cache);
	for_each_online_cpu(cpu) {
		queue_work_on(cpu, mpslab_wq, &w.work);
		flush_work(&w.work);
	}
	mutex_unlock(&mpslab_mutex);
	cpus_read_unlock();
	destroy_work_on_stack(&w.work);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(cache_force_refill);

/**
 * cache_force_grow() - add a slab to this CPU's node
 * @cache: the cache
 *
 * Whoever destroys the cache waits until the slab is there, as nobody would give it
 * back later.  Nor is one made when he was refused: the constructor may be gone.
 *
 * Context: task; sleeps.
 * Return: 0, -ENOMEM, or -EBUSY if the cache's client has destroyed it.
 */
int cache_force_grow(struct mpslab_cache *cache)
{
	struct mpslab_slab *slab = NULL;
	struct cache_node *n;
	unsigned long flags;
	bool closing;

	mutex_lock(&cache->tune_lock);
	closing = cache->closing;
	if (!closing)
		slab = slab_create(cache, GFP_KERNEL, GFP_KERNEL, near_node());
	if (slab) {
		n = cache->node[slab_nid(slab)];
		raw_spin_lock_irqsave(&n->list_lock, flags);
		node_add_slab(n, slab);
		raw_spin_unlock_irqrestore(&n->list_lock, flags);
	}
	mutex_unlock(&cache->tune_lock);
	return slab ? 0 : closing ? -EBUSY : -ENOMEM;
}
EXPORT_SYMBOL_IF_KUNIT(cache_force_grow);

/* --------------------------------------------------------------------- reaping -- */

/*
 * A node's shared array and free slabs age as those of mm/slab.c did.  Free slabs
 * above the limit, which frees in atomic context leave, go at once.
 */
static void reap_node(struct mpslab_cache *cache, struct cache_node *n)
{
	unsigned long shared = 0, per_slab = cache->best.objects, slabs = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&n->list_lock, flags);
	if (n->shared && !n->shared_touched)
		shared = (n->shared->limit + 4) / 5;
	n->shared_touched = false;
	if (n->free_objects > n->free_limit)
		slabs = DIV_ROUND_UP(n->free_objects - n->free_limit, per_slab);
	if (!n->touched)
		slabs += DIV_ROUND_UP(n->free_limit, 5 * per_slab);
	n->touched = false;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);

	if (shared)
		node_drain_shared(cache, n, shared);
	if (slabs)
		node_reap_free(cache, n, slabs);
}

static void reap_due_nodes(struct mpslab_cache *cache)
{
	struct cache_node *n;
	int nid;

	for_each_cache_node(cache, nid, n) {
		if (time_before(jiffies, n->next_reap))
			continue;
		n->next_reap = jiffies + REAP_NODE_INTERVAL;
		reap_node(cache, n);
	}
}

static DEFINE_PER_CPU(struct delayed_work, reap_works);

static void reap_queue(int cpu)
{
	queue_delayed_work_on(cpu, mpslab_wq, per_cpu_ptr(&reap_works, cpu),
			      round_jiffies_relative(REAP_CPU_INTERVAL));
}

/* Runs on the CPU whose arrays it ages; somebody busy means another time. */
static void reap_work_fn(struct work_struct *work)
{
	struct mpslab_cache *cache;

	near_node_update();
	if (mutex_trylock(&mpslab_mutex)) {
		list_for_each_entry(cache, &mpslab_caches, list) {
			cpu_cache_reap_local(cache);
			reap_due_nodes(cache);
			cache_size_age(cache);
			cache_debug_settle(cache);
			cond_resched();
		}
		mutex_unlock(&mpslab_mutex);
	}
	reap_queue(smp_processor_id());
}

struct reap_one {
	struct work_struct work;
	struct mpslab_cache *cache;
};

static void reap_one_fn(struct work_struct *work)
{
	cpu_cache_reap_local(container_of(work, struct reap_one, work)->cache);
}

/**
 * cache_reap() - one round of ageing now, on every CPU and node
 * @cache: the cache
 *
 * Context: task; sleeps.
 */
void cache_reap(struct mpslab_cache *cache)
{
	struct reap_one r = { .cache = cache };
	struct cache_node *n;
	int cpu, nid;

	INIT_WORK_ONSTACK(&r.work, reap_one_fn);
	cpus_read_lock();
	mutex_lock(&mpslab_mutex);
	for_each_online_cpu(cpu) {
		queue_work_on(cpu, mpslab_wq, &r.work);
		flush_work(&r.work);
	}
	for_each_cache_node(cache, nid, n)
		reap_node(cache, n);
	mutex_unlock(&mpslab_mutex);
	cpus_read_unlock();
	destroy_work_on_stack(&r.work);
}
EXPORT_SYMBOL_IF_KUNIT(cache_reap);

/* ----------------------------------------------------------------- CPU hotplug -- */

static int cpu_came(unsigned int cpu)
{
	near_node_update();
	reap_queue(cpu);
	return 0;
}

/* On the CPU that goes; its arrays stay in use until it is dead. */
static int cpu_going(unsigned int cpu)
{
	cancel_delayed_work_sync(per_cpu_ptr(&reap_works, cpu));
	return 0;
}

/* On another CPU; nobody uses the dead one's arrays. */
static int cpu_dead(unsigned int cpu)
{
	struct mpslab_cache *cache;

	mutex_lock(&mpslab_mutex);
	list_for_each_entry(cache, &mpslab_caches, list)
		cpu_cache_drain_dead(cache, per_cpu_ptr(cache->cpu, cpu));
	mutex_unlock(&mpslab_mutex);
	return 0;
}

/**
 * slab_reap_init() - start reaping and following the CPUs
 *
 * Return: 0 or an error; then nothing remains.
 */
int slab_reap_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_DEFERRABLE_WORK(per_cpu_ptr(&reap_works, cpu), reap_work_fn);
	mpslab_wq = setup_alloc(alloc_workqueue("mpslab",
						WQ_MEM_RECLAIM | WQ_PERCPU, 0));
	if (!mpslab_wq)
		return -ENOMEM;
	dead_state = -ENOMEM;
	if (!fault_setup())
		dead_state = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN,
						       "mpslab:dead", NULL,
						       cpu_dead);
	if (dead_state < 0)
		goto no_dead;
	online_state = -ENOMEM;
	if (!fault_setup())
		online_state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN,
						 "mpslab:online", cpu_came,
						 cpu_going);
	if (online_state < 0)
		goto no_online;
	return 0;

no_online:
	cpuhp_remove_state_nocalls(dead_state);
	dead_state = online_state;
no_dead:
	destroy_workqueue(mpslab_wq);
	return dead_state;
}

/**
 * slab_reap_exit() - stop what slab_reap_init() started
 *
 * Every cache holds the module, so none exists here.
 */
void slab_reap_exit(void)
{
	cpuhp_remove_state(online_state);	/* cancels the reaping */
	cpuhp_remove_state_nocalls(dead_state);
	destroy_workqueue(mpslab_wq);
	rcu_barrier();
}
