using Dledger.Frontend.Calls;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Forwarding;

/// <summary>An RPC that is called for every message: as an object, it costs no delegates and closures per call.</summary>
internal interface ICallHandler<TRequest, TResponse>
{
    /// <summary>Answers the call, here or through the leader.</summary>
    Task<TResponse> HandleAsync(ClientCall call, TRequest request);

    /// <summary>The answer that carries a failure.</summary>
    TResponse Refuse(TRequest request, Wire.Status status);

    /// <summary>Told of the answer before it leaves.</summary>
    void Answered(TResponse response)
    {
    }
}
