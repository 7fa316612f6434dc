namespace Dledger.Client.Errors;

/// <summary>The topic, group or node does not exist.</summary>
public sealed class ResourceNotFoundException : DledgerException
{
    internal ResourceNotFoundException(string message, string hint, Exception? cause = null)
        : base(message, hint, isTransient: false, cause)
    {
    }
}
