// The items mostly wait: for leases to end, polls to time out, streams to stay silent. They do so side by side.
[assembly: CollectionBehavior(MaxParallelThreads = -1)]
