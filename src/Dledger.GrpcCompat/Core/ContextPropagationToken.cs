namespace Grpc.Core;

/// <summary>Carries deadline and cancellation from a served call to a call made on its behalf.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken()
    {
    }
}
