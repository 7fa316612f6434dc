using System.Collections.Concurrent;
using Dledger.GrpcCompat.Client;
using Grpc.Core;

namespace Grpc.Net.Client;

/// <summary>A way to one address on which any number of calls run at a time. Safe for any thread.</summary>
/// <remarks>
/// HTTP/2 only; on an http address without negotiation (prior knowledge). Connects at the first call.
/// </remarks>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private readonly ConcurrentDictionary<string, Uri> _uris = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _disposed = new();

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        Address = address;
        Options = options;
        IsSecure = address.Scheme == Uri.UriSchemeHttps;
        Invoker = new HttpMessageInvoker(
            options.HttpHandler ?? ChannelHandler.Create(), options.HttpHandler is null || options.DisposeHttpClient);
        Disposed = _disposed.Token;
    }

    internal Uri Address { get; }

    internal GrpcChannelOptions Options { get; }

    internal bool IsSecure { get; }

    internal HttpMessageInvoker Invoker { get; }

    /// <summary>Fires when the channel is disposed, which ends its calls.</summary>
    internal CancellationToken Disposed { get; }

    public static GrpcChannel ForAddress(string address)
    {
        return ForAddress(address, new GrpcChannelOptions());
    }

    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        return Uri.TryCreate(address, UriKind.Absolute, out var uri)
            ? ForAddress(uri, channelOptions)
            : throw new ArgumentException(
                $"\"{address}\" is no absolute address such as http://host:port.", nameof(address));
    }

    public static GrpcChannel ForAddress(Uri address)
    {
        return ForAddress(address, new GrpcChannelOptions());
    }

    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException(
                $"The address \"{address}\" must start with http:// or https://.", nameof(address));
        }

        var secure = address.Scheme == Uri.UriSchemeHttps;
        if (channelOptions.Credentials is { } credentials && credentials.IsSecure != secure)
        {
            throw new InvalidOperationException(
                $"The channel's credentials are {(secure ? "insecure" : "secure")}, "
                + $"which does not fit the address {address}.");
        }

        return new GrpcChannel(address, channelOptions);
    }

    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(Disposed.IsCancellationRequested, this);
        return new ChannelCallInvoker(this);
    }

    /// <summary>Cancels the open calls and closes the connections.</summary>
    public void Dispose()
    {
        if (!_disposed.IsCancellationRequested)
        {
            _disposed.Cancel();
            Invoker.Dispose();
        }
    }

    /// <summary>The address of a method; made once for each.</summary>
    internal Uri GetUri(IMethod method)
    {
        return _uris.TryGetValue(method.FullName, out var uri)
            ? uri
            : _uris.GetOrAdd(method.FullName, static (name, address) => new Uri(address, name), Address);
    }
}
