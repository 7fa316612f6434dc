namespace Grpc.Core;

/// <summary>A way to one target on which calls are made.</summary>
public abstract class ChannelBase
{
    protected ChannelBase(string target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Target = target;
    }

    /// <summary>Host and port.</summary>
    public string Target { get; }

    public abstract CallInvoker CreateCallInvoker();

    public Task ShutdownAsync()
    {
        return ShutdownAsyncCore();
    }

    protected virtual Task ShutdownAsyncCore()
    {
        return Task.CompletedTask;
    }
}
