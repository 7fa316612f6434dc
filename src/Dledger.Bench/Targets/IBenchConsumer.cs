namespace Dledger.Bench.Targets;

/// <summary>Receives messages of one topic. Used by one caller, one call at a time.</summary>
public interface IBenchConsumer : IAsyncDisposable
{
    /// <summary>Messages that are there, or the first that come; none when none came in time.</summary>
    /// <param name="countMax">At most as many as the target gives at once.</param>
    /// <param name="wait">How long to wait for the first.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken);
}
